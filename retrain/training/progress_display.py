"""How a training is shown to people and written down: on standard error, and in MLflow."""

from collections import deque
from types import TracebackType
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from retrain.tracking import Run

_LOSS_OVER_STEPS: Final = 20


class Display:
    """A bar with the time left, the mean loss of the last steps, and a line an evaluation."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._losses: deque[float] = deque(maxlen=_LOSS_OVER_STEPS)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(elapsed_when_finished=False),
            console=console,
        )
        self._task = self._progress.add_task("", visible=False)

    def __enter__(self) -> "Display":
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the last state on the screen."""
        self._progress.stop()

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self._console.print(line, markup=False, highlight=False)

    def begin(self, what: str, total: int, done: int = 0) -> None:
        """Show a new bar in the place of the last one."""
        self._progress.remove_task(self._task)
        self._task = self._progress.add_task(what, total=total, completed=done)

    def advance(self, by: int) -> None:
        """Move the bar."""
        self._progress.advance(self._task, by)

    def stepped(self, step: int, loss: float, learning_rate: float) -> None:
        """Move the bar to a step."""
        del learning_rate
        self._losses.append(loss)
        mean = sum(self._losses) / len(self._losses)
        self._progress.update(self._task, completed=step, description=f"training, loss {mean:.4f}")

    def evaluated(self, step: int, figures: dict[str, float]) -> None:
        """Print what the validation split says."""
        values = "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
        self.say(f"step {step}: {values}")


class Curves:
    """The same for MLflow: the mean loss every few steps, and every evaluation."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._losses: list[float] = []

    def stepped(self, step: int, loss: float, learning_rate: float) -> None:
        """Write down every twentieth step."""
        self._losses.append(loss)
        if step % _LOSS_OVER_STEPS == 0:
            mean = sum(self._losses) / len(self._losses)
            self._losses.clear()
            self._run.figures({"loss": mean, "learning_rate": learning_rate}, step=step)

    def evaluated(self, step: int, figures: dict[str, float]) -> None:
        """Write down what the validation split says."""
        self._run.figures({f"validation_{k}": v for k, v in figures.items()}, step=step)
