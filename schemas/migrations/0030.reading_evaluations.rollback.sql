DROP VIEW reading.rollback_decisions, reading.shadow_counts, reading.evaluation_confusion,
    reading.evaluation_classes, reading.evaluations;
