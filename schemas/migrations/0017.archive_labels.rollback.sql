DELETE FROM labels WHERE labeller = 'archive' AND origin = 'import';
