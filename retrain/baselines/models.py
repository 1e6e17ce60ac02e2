"""The baselines: TF-IDF of words and of letters, and four classifiers of scikit-learn."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final


def _tf_idf(**options: Any) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    class TfIdf(TfidfVectorizer):  # type: ignore[misc]
        def fit_transform(self, texts: Any, labels: Any = None) -> Any:
            """Keep every piece where none is in `min_df` texts, as whole texts without spaces."""
            try:
                return super().fit_transform(texts, labels)
            except ValueError:
                self.min_df = 1
                return super().fit_transform(texts, labels)

    return TfIdf(sublinear_tf=True, **options)


def _words(**options: Any) -> Any:
    return _tf_idf(tokenizer=str.split, token_pattern=None, **options)


def _features() -> Any:
    """Return words and pairs of them beside pieces of 2 to 4 letters: tweets misspell much."""
    from sklearn.pipeline import make_union

    return make_union(
        _words(ngram_range=(1, 2), min_df=2),
        _tf_idf(analyzer="char_wb", ngram_range=(2, 4), min_df=5),
    )


def _with_features(classifier: Any) -> Any:
    from sklearn.pipeline import make_pipeline

    return make_pipeline(_features(), classifier)


def _logistic_regression(seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return _with_features(
        LogisticRegression(C=2.0, class_weight="balanced", max_iter=300, random_state=seed)
    )


def _naive_bayes(seed: int) -> Any:
    from sklearn.naive_bayes import ComplementNB

    del seed
    return _with_features(ComplementNB(alpha=0.5))


def _linear_svm(seed: int) -> Any:
    from sklearn.svm import LinearSVC

    return _with_features(LinearSVC(C=0.1, class_weight="balanced", random_state=seed))


def _random_forest(seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline

    # Of words alone, so that the trees are grown within minutes.
    return make_pipeline(
        _words(min_df=3),
        RandomForestClassifier(
            n_estimators=150,
            min_samples_leaf=2,
            class_weight="balanced_subsample",
            n_jobs=1,
            random_state=seed,
        ),
    )


BASELINES: Final = MappingProxyType[str, Callable[[int], Any]](
    {
        "naive Bayes": _naive_bayes,
        "logistic regression": _logistic_regression,
        "linear SVM": _linear_svm,
        "random forest": _random_forest,
    }
)
"""Each by its name, made with a seed. Their few figures are customary ones, not tuned here."""
