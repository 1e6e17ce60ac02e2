"""Whether the model is right: models side by side, by data set and class, drift, audits."""

from typing import Final

from deploy.observability.dashboards.panels import Dashboard, Panel, PromQL, Sql

MODEL_EVALUATION: Final = Dashboard(
    uid="murmur-models",
    title="Murmur: model evaluation",
    about="People's labels beside each model's. Audits are a sample of the stream; a labelled data"
    " set that was replayed is a run of its own.",
    chooses_run=True,
    shows="now-30d",
    rows=(
        (
            "Models side by side",
            (
                Panel(
                    "Accuracy by model and data set",
                    (
                        Sql(
                            "SELECT model, run || ' (' || origin || ')' AS data_set,"
                            " sum(tweets) FILTER (WHERE person_label = model_label)"
                            " / sum(tweets)::double precision AS accuracy"
                            " FROM reading.confusion GROUP BY 1, 2 ORDER BY 1, 2"
                        ),
                    ),
                    "Base and fine-tuned models on the same tweets: `murmur rescore` lets another"
                    " model score what is stored.",
                    kind="table",
                    unit="percentunit",
                    width=12,
                    matrix=("model", "data_set", "accuracy"),
                ),
                Panel(
                    "Macro-recall by model",
                    (
                        Sql(
                            "SELECT model, avg(both_say / people_say::double precision)"
                            " AS macro_recall, sum(people_say) AS tweets FROM reading.class_quality"
                            " WHERE run = ${run:sqlstring} AND people_say > 0"
                            " GROUP BY 1 ORDER BY 2 DESC"
                        ),
                    ),
                    "The mean over classes of the share that the model finds, on the chosen run.",
                    kind="table",
                    unit="percentunit",
                    width=12,
                ),
            ),
        ),
        (
            "Evaluations",
            (
                Panel(
                    "Evaluated models by data set",
                    (
                        Sql(
                            "SELECT DISTINCT ON (model, data_set, run) model, data_set, run,"
                            " accuracy, macro_recall, macro_f1, texts, created_at"
                            " FROM reading.evaluations WHERE state = 'done'"
                            " ORDER BY model, data_set, run, created_at DESC"
                        ),
                    ),
                    "The latest of each: base and fine-tuned models side by side.",
                    kind="table",
                    width=12,
                ),
                Panel(
                    "Evaluated classes",
                    (
                        Sql(
                            "SELECT c.model, c.data_set, c.label, c.precision, c.recall, c.f1,"
                            " c.support FROM reading.evaluation_classes AS c"
                            " JOIN (SELECT max(evaluation_no) AS evaluation_no"
                            " FROM reading.evaluations WHERE state = 'done'"
                            " GROUP BY model, data_set, run) AS latest USING (evaluation_no)"
                            " ORDER BY 1, 2, 3"
                        ),
                    ),
                    "By model, data set and label.",
                    kind="table",
                    width=12,
                ),
                Panel(
                    "Confusion of the latest evaluation",
                    (
                        Sql(
                            "SELECT person_label AS people_say, model_label AS model_says, texts"
                            " FROM reading.evaluation_confusion WHERE evaluation_no ="
                            " (SELECT max(evaluation_no) FROM reading.evaluations"
                            " WHERE state = 'done') ORDER BY 1, 2"
                        ),
                    ),
                    "Rows: what people say. Columns: what the model says.",
                    kind="table",
                    width=12,
                    matrix=("people_say", "model_says", "texts"),
                ),
                Panel(
                    "Model and challenger",
                    (
                        Sql(
                            "SELECT label AS model_says, challenger_label AS challenger_says,"
                            " sum(tweets) AS tweets FROM reading.shadow_counts GROUP BY 1, 2"
                            " ORDER BY 1, 2"
                        ),
                    ),
                    "The same tweets, of the shadow. Off the diagonal they disagree.",
                    kind="table",
                    width=12,
                    matrix=("model_says", "challenger_says", "tweets"),
                ),
            ),
        ),
        (
            "Classes of the chosen run",
            (
                Panel(
                    "Precision and recall by class",
                    (
                        Sql(
                            "SELECT model, label, both_say / nullif(model_says, 0)::double"
                            " precision AS precision,"
                            " both_say / nullif(people_say, 0)::double precision AS recall,"
                            " people_say AS tweets FROM reading.class_quality"
                            " WHERE run = ${run:sqlstring} ORDER BY 1, 2"
                        ),
                    ),
                    "Of what the model calls so, how much is; of what is, how much it calls so.",
                    kind="table",
                    unit="percentunit",
                    width=12,
                ),
                Panel(
                    "Confusion",
                    (
                        Sql(
                            "SELECT person_label AS people_say, model_label AS model_says,"
                            " sum(tweets) AS tweets FROM reading.confusion"
                            " WHERE run = ${run:sqlstring} GROUP BY 1, 2 ORDER BY 1, 2"
                        ),
                    ),
                    "Rows: what people say. Columns: what the models say. The diagonal is right.",
                    kind="table",
                    width=12,
                    matrix=("people_say", "model_says", "tweets"),
                ),
            ),
        ),
        (
            "Drift and audits",
            (
                Panel(
                    "Open alarms",
                    (
                        PromQL(
                            "sum by (kind, rule) (murmur_watch_alarms_open)", "{{kind}} {{rule}}"
                        ),
                    ),
                    "`model`: its input or its answers have left their reference.",
                ),
                Panel(
                    "Windows judged an hour",
                    (PromQL("3600 * sum(rate(murmur_watch_windows_total[1h]))", "windows"),),
                    "None: nothing is watched.",
                ),
                Panel(
                    "Audits of 30 days",
                    (PromQL("max(murmur_watch_audits)", "audits"),),
                    "A hundred tell what share people would count.",
                    kind="stat",
                ),
                Panel(
                    "Age of the newest model",
                    (PromQL("time() - max(murmur_watch_model_since_timestamp_seconds)", "age"),),
                    "Since it was first seen.",
                    kind="stat",
                    unit="s",
                ),
                Panel(
                    "Models that score",
                    (
                        PromQL(
                            "count by (name, version, sha256) (murmur_score_model_info)",
                            "{{name}} {{version}}",
                        ),
                    ),
                    "More than one for long: a process has not taken the promoted one over.",
                    kind="stat",
                ),
                Panel(
                    "Swaps",
                    (PromQL("sum(murmur_score_model_swaps_total)", "swaps"),),
                    "How often a promoted model took over.",
                    kind="stat",
                ),
                Panel(
                    "Alarms",
                    (
                        Sql(
                            "SELECT raised_at, ended_at, run, rule, kind, signal, subject, value,"
                            " reference FROM reading.alarms ORDER BY raised_at DESC LIMIT 50"
                        ),
                    ),
                    "The latest.",
                    kind="table",
                    width=12,
                ),
                Panel(
                    "Retraining jobs",
                    (PromQL("max by (state) (murmur_watch_retrain_jobs)", "{{state}}"),),
                    "By state.",
                    kind="barchart",
                    width=12,
                ),
            ),
        ),
    ),
)
