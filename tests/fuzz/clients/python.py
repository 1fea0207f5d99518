"""Calls a deployment by the client that openapi-python-client made beside this file."""

import json
import os
from io import BytesIO

from asklet import AuthenticatedClient, Client
from asklet.api.pages import collect
from asklet.api.responses import exclude_response, export, import_, query_responses, responses
from asklet.api.site import create_key, get_site, list_keys, patch_site
from asklet.api.summaries import site_summary, summary
from asklet.api.surveys import change_survey, create_survey, get_survey, list_surveys, publish_survey, set_shards
from asklet.models import (
    Answers,
    Asked,
    Channel,
    DefinitionInput,
    Display,
    Exclude,
    ExportFormat,
    MakeKey,
    Problem,
    Scope,
    SetShards,
    SettingsPatch,
    Stage,
    Status,
    SummaryInterval,
)
from asklet.types import File

SITE, SURVEY = os.environ["SITE"], os.environ["SURVEY"]
URL = os.environ["ASKLET_URL"]
DISPLAY = "019a3cb6-bc00-7cc3-98c4-dc0c0c07398f"

client = AuthenticatedClient(base_url=URL, token=os.environ["KEY"])
calls = 0


def call(operation, status, *arguments, **options):
    """Calls an operation, checks its status, and returns what the client made of the answer."""
    global calls
    calls += 1
    options.setdefault("client", client)
    answer = operation.sync_detailed(*arguments, **options)
    assert answer.status_code == status, f"{operation.__name__}: {answer}"
    return answer.parsed


settings = call(get_site, 200, SITE).settings
assert settings.name == "Shop"
patch = SettingsPatch.from_dict({"rest_days": 14, "privacy": {"page": "none"}})
patched = call(patch_site, 200, SITE, body=patch).settings
assert patched.rest_days == 14 and patched.origins == settings.origins

key = call(create_key, 201, SITE, body=MakeKey(name="reader", scope=Scope.READ))
assert [it.scope for it in call(list_keys, 200, SITE).keys] == [Scope.ADMIN, Scope.READ]
assert key.key.startswith("ak_")

assert call(list_surveys, 200, SITE).surveys[0].status == Status.LIVE
record = call(get_survey, 200, SITE, SURVEY)
definition = DefinitionInput.from_dict({**record.draft.to_dict(), "name": "Generated again"})
assert call(change_survey, 200, SITE, SURVEY, body=definition).draft.name == "Generated again"
assert call(publish_survey, 200, SITE, SURVEY).version == 2
draft = call(create_survey, 201, SITE, body=definition)
assert (draft.status, draft.version) == (Status.DRAFT, 0)
assert call(set_shards, 200, SITE, SURVEY, body=SetShards(shards=2)).shards == 2

display = Display(
    id=DISPLAY,
    revision=1,
    version=1,
    stage=Stage.COMPLETED,
    channel=Channel.EMAIL,
    answers=Answers.from_dict({"score": 9, "why": "It is fast."}),
)
assert call(collect, 204, SITE, SURVEY, "0", client=Client(base_url=URL), body=display) is None
line = {"time": "2024-05-01T12:00:00Z", "question": "score", "score": 3}
lines = File(payload=BytesIO(json.dumps(line).encode() + b"\n"))
assert call(import_, 200, SITE, SURVEY, body=lines).stored == 1

found = call(summary, 200, SITE, SURVEY, from_="2024-01-01", interval=SummaryInterval.QUARTER, by="channel")
assert (found.n, len(found.breakdown)) == (2, 2)
assert found.breakdown[0].difference is None
assert call(site_summary, 200, SITE).pools[0].n == 2

page = call(responses, 200, SITE, SURVEY, limit=1)
assert (len(page.responses), page.responses[0].country) == (1, None)
query = Asked(category=["promoter"], has_comment=True)
found = call(query_responses, 200, SITE, SURVEY, body=query)
assert found.responses[0].answers.to_dict() == {"score": 9, "why": "It is fast."}
assert call(exclude_response, 204, SITE, SURVEY, DISPLAY, body=Exclude(reason="a test")) is None
table = call(export, 200, SITE, SURVEY, format_=ExportFormat.CSV, excluded=False)
assert len(table.splitlines()) == 2, table

problem = call(exclude_response, 422, SITE, SURVEY, DISPLAY, body=Exclude(reason=" "))
assert isinstance(problem, Problem) and problem.field == "reason"
print(f"the Python client made {calls} calls")
