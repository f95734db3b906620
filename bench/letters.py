"""One of our letters, as the peers get it: they are asked to send it, not to write it."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

ADDRESS = "member0@people.example"


@dataclass(frozen=True)
class Sample:
    subject: str
    sender: str
    html: str
    text: str
    message: str

    def message_to(self, address: str) -> bytes:
        """The whole MIME message for somebody else."""
        return self.message.replace(ADDRESS, address).encode()

    def write(self, folder: Path) -> None:
        _file(folder).write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, folder: Path) -> Sample:
        return cls(**json.loads(_file(folder).read_text()))


def write_sample(folder: Path) -> Sample:
    """The invitation to a workshop, with everything filled in."""
    from bench import people
    from chapters.models import Role
    from invitations import mails, moulds
    from logs.models import Action

    draft = mails.draft(
        people.workshop_for(1), action=Action.INVITE, role=Role.STUDENT, other_role=None
    )
    recipient = moulds.Recipient(
        member_id=1, address=ADDRESS, name="Amina", token="x" * 43, message_id=uuid.uuid4()
    )
    sample = Sample(
        subject=draft.subject,
        sender=draft.sender,
        html=draft.html_for(recipient),
        text=draft.text_for(recipient),
        message=draft.letter_to(recipient).decode(),
    )
    sample.write(folder)
    return sample


def _file(folder: Path) -> Path:
    return folder / "sample.json"
