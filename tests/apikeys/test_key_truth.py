"""What the pages of one key, and the overview, say of its use; and what they take away."""

from datetime import timedelta
from typing import Any

import pytest

from apps.apikeys import operations as apikeys
from apps.apikeys import policy, uses
from apps.apikeys.models import ApiKey, Caller
from apps.audit.models import AuditEvent
from apps.core.clock import now
from apps.memberships import operations as memberships
from apps.workspaces import operations as workspaces
from tests.apikeys.test_key_list import DAY, aged, use
from tests.apikeys.test_pages import make, page, root, text
from tests.world import Company, World, system

SCOPES = ["completions.write", "prompts.list", "prompts.read"]


pytestmark = pytest.mark.usefixtures("noting")


class TestUsage:
    def test_says_that_nobody_ever_called(self, sign_in: Any, acme: Company) -> None:
        shown = text(sign_in(acme.owner).get(page(acme, acme.user_key) + "?tab=usage"))
        assert "Nobody has ever called with it" in shown

    def test_lists_the_callers_of_thirty_days(self, sign_in: Any, acme: Company, call: Any) -> None:
        call("GET", "/v1/whoami", acme.secrets["user_key"], **{"User-Agent": "<b>evil</b>/1"})
        use(acme.user_key, agent="old/1", days=29)
        use(acme.user_key, agent="gone/1", days=31)
        answer = sign_in(acme.owner).get(page(acme, acme.user_key) + "?tab=usage")
        shown = text(answer)
        assert [each.agent for each in answer.context["callers"]] == ["<b>evil</b>/1", "old/1"]
        assert "&lt;b&gt;evil&lt;/b&gt;/1" in shown
        assert "gone/1" not in shown
        assert "GET /v1/whoami" in shown

    def test_names_the_last_callers_of_very_many(self, sign_in: Any, acme: Company) -> None:
        for number in range(60):
            use(acme.user_key, agent=f"caller/{number}")
        answer = sign_in(acme.owner).get(page(acme, acme.user_key) + "?tab=usage")
        assert len(answer.context["callers"]) == 50
        assert "Only the last 50 are shown." in text(answer)

    @pytest.mark.parametrize("tab", ["", "?tab=usage", "?tab=scopes", "?tab=activity", "?tab=nothing"])
    def test_costs_little_on_every_tab(
        self, sign_in: Any, acme: Company, django_assert_max_num_queries: Any, tab: str
    ) -> None:
        browser = sign_in(acme.owner)
        browser.get(page(acme, acme.user_key))
        for number in range(30):
            use(acme.user_key, agent=f"caller/{number}", scopes=acme.user_key.scopes[:1])
        with django_assert_max_num_queries(8):
            assert browser.get(page(acme, acme.user_key) + tab).status_code == 200

    def test_is_there_for_whose_key_it_is(self, sign_in: Any, acme: Company) -> None:
        assert "Usage" in text(sign_in(acme.member).get(page(acme, acme.user_key) + "?tab=usage"))


class TestEndingAKey:
    @pytest.mark.parametrize("act", ["revoke/", "disable/"])
    def test_says_first_who_would_notice(self, sign_in: Any, acme: Company, act: str) -> None:
        use(acme.user_key, agent="portkey-ai/2", days=2 / 1440)
        use(acme.user_key, agent="curl/8", days=30 / 1440)
        use(acme.user_key, agent="cron/1", days=50 / 1440)
        use(acme.user_key, agent="yesterday/1", days=1)
        answer = sign_in(acme.owner).get(page(acme, acme.user_key, act))
        assert (
            answer.context["traffic"].callers == Caller.objects.filter(at__gte=now() - timedelta(hours=1)).count() == 3
        )
        assert "3 callers in the last hour, the last <time" in text(answer)
        assert "2 minutes ago</time> from <bdi>10.1.2.3 (portkey-ai/2)</bdi>." in text(answer)

    @pytest.mark.parametrize("act", ["revoke/", "disable/"])
    def test_says_that_nobody_calls_any_more(self, sign_in: Any, acme: Company, act: str) -> None:
        browser = sign_in(acme.owner)
        assert "Nobody has ever called with it." in text(browser.get(page(acme, acme.user_key, act)))
        use(acme.user_key, days=31)
        assert "Nobody has used it for 30 days." in text(browser.get(page(acme, acme.user_key, act)))
        uses.notebook.clear()
        use(acme.user_key, days=3)
        assert "Nobody called in the last hour; the last call was" in text(browser.get(page(acme, acme.user_key, act)))

    def test_is_asked_again_when_a_key_nobody_used_comes_to_be_used(self, sign_in: Any, acme: Company) -> None:
        browser, address = sign_in(acme.owner), page(acme, acme.user_key, "revoke/")
        shown = browser.get(address).context
        given = {"typed": acme.user_key.name, "seen": shown["seen"], "version": acme.user_key.version}
        use(acme.user_key)
        assert browser.post(address, given).status_code == 409
        assert not ApiKey.objects.filter(status="revoked").exists()

    def test_is_not_kept_up_by_more_callers(self, sign_in: Any, acme: Company) -> None:
        """A leaked key is called from everywhere, and ends all the same."""
        use(acme.user_key)
        browser, address = sign_in(acme.owner), page(acme, acme.user_key, "revoke/")
        shown = browser.get(address).context
        use(acme.user_key, agent="thief/1")
        given = {"typed": acme.user_key.name, "seen": shown["seen"], "version": acme.user_key.version}
        assert browser.post(address, given).status_code == 302
        assert ApiKey.objects.get(status="revoked") == acme.user_key


class TestScopes:
    @pytest.fixture
    def key(self, acme: Company) -> ApiKey:
        return make(acme, "wide", scopes=SCOPES)

    def test_are_shown_with_their_last_use(self, sign_in: Any, acme: Company, key: ApiKey) -> None:
        use(key, scopes=["prompts.read"])
        answer = sign_in(acme.owner).get(page(acme, key) + "?tab=scopes")
        granted = {each.scope: each.at is not None for each in answer.context["granted"]}
        assert granted == {"completions.write": False, "prompts.list": False, "prompts.read": True}
        assert "3 scopes were granted." in text(answer)
        assert "2 were not used since" in text(answer)

    def test_count_from_when_the_key_was_made_or_thirty_days(self, acme: Company, key: ApiKey) -> None:
        assert uses.since(key) == key.created_at
        old = aged(key, 40)
        assert abs(uses.since(old) - (now() - 30 * DAY)) < timedelta(minutes=1)
        use(old, days=31, scopes=["prompts.read"])
        assert all(each.at is None for each in uses.scopes_of(old))

    def _remove(self, browser: Any, acme: Company, key: ApiKey) -> Any:
        address = page(acme, key, "unused/")
        shown = browser.get(address).context
        return browser.post(address, {"seen": shown["seen"], "version": shown["form"].initial["version"]})

    def test_that_are_not_used_are_taken_away(self, sign_in: Any, acme: Company, key: ApiKey) -> None:
        use(key, scopes=["prompts.read"])
        browser = sign_in(acme.manager)
        shown = text(browser.get(page(acme, key, "unused/")))
        assert "2 scopes are removed" in shown
        assert "1 scope stays" in shown
        assert ApiKey.objects.get(pk=key.pk).scopes == SCOPES
        assert self._remove(browser, acme, key).status_code == 302
        assert ApiKey.objects.get(pk=key.pk).scopes == ["prompts.read"]
        line = AuditEvent.objects.get(event="api_key.updated")
        assert line.details["after"]["scopes"] == ["prompts.read"]

    def test_are_counted_again_when_it_is_confirmed(self, sign_in: Any, acme: Company, key: ApiKey) -> None:
        use(key, scopes=["prompts.read"])
        browser, address = sign_in(acme.owner), page(acme, key, "unused/")
        shown = browser.get(address).context
        use(key, scopes=["prompts.list"])
        answer = browser.post(address, {"seen": shown["seen"], "version": shown["form"].initial["version"]})
        assert answer.status_code == 409
        assert "has changed since you opened it" in text(answer)
        assert ApiKey.objects.get(pk=key.pk).scopes == SCOPES

    def test_none_is_taken_where_nothing_or_everything_was_used(self, sign_in: Any, acme: Company, key: ApiKey) -> None:
        browser = sign_in(acme.owner)
        assert "None of its scopes was used since" in text(browser.get(page(acme, key, "unused/")))
        assert self._remove(browser, acme, key).status_code == 409
        use(key, scopes=SCOPES)
        assert "there is nothing to remove" in text(browser.get(page(acme, key, "unused/")))
        assert self._remove(browser, acme, key).status_code == 409
        assert ApiKey.objects.get(pk=key.pk).scopes == SCOPES

    def test_are_taken_by_who_may_change_the_key(self, sign_in: Any, acme: Company, key: ApiKey) -> None:
        assert sign_in(acme.member).get(page(acme, acme.user_key, "unused/")).status_code == 403
        shown = text(sign_in(acme.member).get(page(acme, acme.user_key) + "?tab=scopes"))
        assert "Remove what was not used" not in shown
        apikeys.revoke(key, by=system())
        assert sign_in(acme.owner).get(page(acme, key, "unused/")).status_code == 404


class TestTheOverview:
    def test_counts_just_the_keys_that_the_list_then_shows(self, sign_in: Any, acme: Company) -> None:
        """Every finding about keys, with what it must not count beside it."""
        aged(acme.organization_key, 31)
        use(aged(make(acme, "wide", scopes=SCOPES), 31), scopes=["prompts.read"])
        apikeys.disable(aged(make(acme, "paused"), 31), by=system())
        make(acme, "short", user=acme.manager, expires_at=now() + 9 * DAY)
        acme.organization.memberships.filter(user=acme.manager).delete()
        memberships.suspend(acme.membership(acme.member), by=system())
        aged(make(acme, "archived", place=acme.other_workspace), 31)
        workspaces.archive(acme.other_workspace, by=system())
        policy.change(acme.workspace, expiry_required=True, by=system())
        browser = sign_in(acme.owner)
        found = [f for f in browser.get(f"{root(acme)}/").context["findings"] if "/keys/" in f.link]
        assert len(found) == 7
        for finding in found:
            assert "status=active" in finding.link
            assert browser.get(finding.link).context["counted"]["total"].number == int(finding.text.split()[0]), finding

    def test_ticks_the_first_call(self, sign_in: Any, world: World) -> None:
        browser = sign_in(world.stranger)
        home = browser.post("/organizations/new/", {"name": "Initech"})["Location"]

        def called() -> bool:
            return next(bool(step.is_done) for step in browser.get(home).context["steps"] if "call" in step.name)

        assert not called()
        use(world.acme.user_key)  # somebody else's does not count
        assert not called()
        organization = browser.get(home).context["tenant"].organization
        use(apikeys.issue(organization, name="first", scopes=["organisations.read"], by=system()).key)
        assert called()

    def test_costs_no_more_than_before(self, sign_in: Any, acme: Company, django_assert_max_num_queries: Any) -> None:
        browser = sign_in(acme.owner)
        browser.get(f"{root(acme)}/")
        with django_assert_max_num_queries(8):
            browser.get(f"{root(acme)}/")
