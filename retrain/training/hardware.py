"""On what is trained, and how exactly: the device, its number format, and repeatable kernels."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import torch

from retrain.training.recipe import Precision
from schemas.failures import Failure


@dataclass(frozen=True)
class Hardware:
    """A device, its number format, and the processor's threads that work for it."""

    device: torch.device
    precision: str
    threads: int

    @property
    def autocast(self) -> Callable[[], AbstractContextManager[object]]:
        """bf16 where that was chosen, else nothing."""
        if self.precision == "fp32":
            return nullcontext
        return lambda: torch.autocast(self.device.type, dtype=torch.bfloat16)

    @property
    def exact(self) -> "Hardware":
        """The same device in fp32."""
        return replace(self, precision="fp32")

    def seed(self, seed: int) -> None:
        """Set torch's generators."""
        torch.manual_seed(seed)

    def random_state(self) -> dict[str, torch.Tensor]:
        """Return the generators' states."""
        states = {"cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            states["cuda"] = torch.cuda.get_rng_state(self.device)
        return states

    def restore_random_state(self, states: dict[str, torch.Tensor]) -> None:
        """Set the generators to states that `random_state` gave."""
        torch.set_rng_state(states["cpu"])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(states["cuda"], self.device)


def choose_hardware(precision: Precision, threads: int | None) -> Hardware:
    """Take a GPU where there is one, else the processor; fix threads and kernels for repeats.

    With one seed, one number of threads and one machine all figures then are the same.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    torch.use_deterministic_algorithms(mode=True)
    # It guards against kernels that read what nobody wrote, and takes a tenth of a step's time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if threads is not None:
        torch.set_num_threads(threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cuda":
        # Of attention's kernels only this one's gradients are the same in every run.
        torch.backends.cuda.enable_flash_sdp(enabled=False)
        torch.backends.cuda.enable_mem_efficient_sdp(enabled=False)
        torch.backends.cuda.enable_cudnn_sdp(enabled=False)
    capable = device.type == "cuda" or _processor_has_bf16()
    if precision == "bf16" and not capable:
        raise Failure("this processor has no bf16: use --precision fp32")
    chosen = "bf16" if capable and precision != "fp32" else "fp32"
    return Hardware(device, chosen, torch.get_num_threads())


def _processor_has_bf16() -> bool:
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
