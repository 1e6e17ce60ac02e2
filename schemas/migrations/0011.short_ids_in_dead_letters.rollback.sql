-- What was erased stays erased, and ids that are named too many do no harm.
SELECT 1;
