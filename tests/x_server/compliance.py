"""The fake's batch compliance: a job, an upload, a wait, a download."""

import threading
from typing import Any

import msgspec

from tests.x_server.posts import Corpus

PATH = "/2/compliance/jobs"
UPLOAD = "/upload/"
DOWNLOAD = "/download/"
AFTER_LOOKS = 2
"""How often a job has to be asked for until it is done."""


class Jobs:
    """Every job there was. What the corpus has as deleted is reported so."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._lock = threading.Lock()
        self._jobs: dict[str, dict[str, Any]] = {}
        self._ids: dict[str, list[str]] = {}
        self._looks: dict[str, int] = {}
        self.reasons: dict[str, str] = {}
        self.uploads: list[bytes] = []
        self.suspended_users: set[str] = set()
        self.breaks_off = False

    def made(self, asked: dict[str, Any], address: str) -> dict[str, Any]:
        with self._lock:
            job_id = str(5_000 + len(self._jobs))
            self._jobs[job_id] = {
                "id": job_id,
                "type": asked["type"],
                "name": asked.get("name", ""),
                "status": "created",
                "upload_url": f"{address}{UPLOAD}{job_id}",
                "download_url": f"{address}{DOWNLOAD}{job_id}",
            }
            return {"data": self._jobs[job_id]}

    def uploaded(self, path: str, body: bytes) -> None:
        with self._lock:
            self._ids[path.removeprefix(UPLOAD)] = body.decode().split()
            self.uploads.append(body)

    def described(self, path: str) -> dict[str, Any]:
        job_id = path.removeprefix(PATH).strip("/")
        with self._lock:
            looks = self._looks[job_id] = self._looks.get(job_id, 0) + 1
            done = job_id in self._ids and looks >= AFTER_LOOKS
            return {"data": {**self._jobs[job_id], "status": "complete" if done else "in_progress"}}

    def result(self, path: str) -> bytes:
        job_id = path.removeprefix(DOWNLOAD)
        gone = (
            self._corpus.deleted if self._jobs[job_id]["type"] == "tweets" else self.suspended_users
        )
        return b"".join(
            msgspec.json.encode(
                {
                    "id": each,
                    "action": "delete",
                    "created_at": "2026-11-20T10:00:00.000Z",
                    "redacted_at": "2026-11-21T09:00:00.000Z",
                    "reason": self.reasons.get(each, "deleted"),
                }
            )
            + b"\n"
            for each in self._ids[job_id]
            if each in gone
        )
