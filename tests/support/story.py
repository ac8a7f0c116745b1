"""The demonstration's story played in this process, over a house of the tests."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx

import api.demo.parties
from api.demo.play import STEPS
from api.demo.story import Story
from tests.support.house import House

# Steps that look at files of a running house, and change nothing.
_ELSEWHERE = {"copy_storage_roots", "gather"}


def play_story(
    house: House, output: Path, client: type, *, then: Callable[[Story], None] = lambda _story: None
) -> Story:
    """Plays every step that talks to the API, by clients of this class; `then` goes on with the same parties."""
    services = house.services
    link = services.identity.enrolments.bootstrap()
    assert link is not None
    story = Story(base=services.settings.public_url, output=output, enrolment_token=link.token, document=None)
    story.known["objects"] = services.settings.objects_folder
    story.known["database_url"] = services.settings.database_url
    real = api.demo.parties.httpx
    api.demo.parties.httpx = cast(Any, SimpleNamespace(Client=client, Response=httpx.Response))
    try:
        for step in STEPS:
            if step.act.__name__ not in _ELSEWHERE:
                services.sequencer.catch_up()  # as the worker does meanwhile
                step.act(story)
        then(story)
    finally:
        api.demo.parties.httpx = real
    return story


def password_of(story: Story, username: str) -> str:
    """The password that a party of the story chose."""
    return str(next(each.password for each in story.parties if getattr(each, "username", "") == username))
