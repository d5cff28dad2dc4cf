"""Two people change one thing at once: the second one sees both versions and keeps one of them."""

import re
from typing import Any

import pytest

from apps.organizations import operations as organizations
from apps.organizations.models import Organization
from apps.organizations.views import OrganizationSettings
from tests.world import Company, World, system


@pytest.fixture(autouse=True)
def _editing(monkeypatch: pytest.MonkeyPatch) -> None:
    def current(view: Any) -> Any:
        return Organization.objects.get(pk=view.tenant.organization.pk)

    monkeypatch.setattr(OrganizationSettings, "current", current, raising=False)


def settings_of(company: Company) -> str:
    return f"/o/{company.organization.slug}/settings/"


def sent(company: Company, **more: Any) -> dict[str, Any]:
    return {"name": "Mine", "description": "Typed <b>for long</b>", "version": company.organization.version, **more}


def rename(company: Company, by: Any) -> None:
    fresh = Organization.objects.get(pk=company.organization.pk)
    organizations.update(fresh, name="Theirs", description="", version=fresh.version, by=by)


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


class TestAStaleEdit:
    def test_shows_both_versions_and_changes_nothing(self, sign_in: Any, acme: Company) -> None:
        rename(acme, system())
        answer = sign_in(acme.owner).post(settings_of(acme), sent(acme))
        assert answer.status_code == 409
        text = text_of(answer)
        assert '<td dir="auto">Mine</td> <td dir="auto">Theirs</td>' in text
        assert "Typed &lt;b&gt;for long&lt;/b&gt;" in text
        assert "<bdi>Gatehouse</bdi> saved another version" in text
        assert Organization.objects.get(pk=acme.organization.pk).name == "Theirs"

    def test_can_be_kept_on_purpose(self, sign_in: Any, acme: Company) -> None:
        rename(acme, system())
        browser = sign_in(acme.owner)
        text = text_of(browser.post(settings_of(acme), sent(acme, next=f"/o/{acme.organization.slug}/members/")))
        main = text[text.index("<main") :]
        form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', main))
        answer = browser.post(settings_of(acme), {**form, "description": "Typed"})
        assert answer["Location"] == f"/o/{acme.organization.slug}/members/"
        assert Organization.objects.get(pk=acme.organization.pk).name == "Mine"

    def test_says_which_colleague_was_faster(self, sign_in: Any, acme: Company) -> None:
        sign_in(acme.admin).post(settings_of(acme), sent(acme, name="Theirs"))
        assert f"<bdi>{acme.admin}</bdi> saved another version" in text_of(
            sign_in(acme.owner).post(settings_of(acme), sent(acme))
        )

    def test_does_not_name_somebody_who_is_no_colleague(self, sign_in: Any, world: World) -> None:
        acme, stranger = world.acme, world.stranger
        rename(acme, system())
        Organization.objects.filter(pk=acme.organization.pk).update(
            updated_by=stranger.pk, updated_by_kind="person", version=9
        )
        text = text_of(sign_in(acme.owner).post(settings_of(acme), sent(acme)))
        assert "<bdi>Somebody</bdi> saved another version" in text
        assert str(stranger) not in text

    def test_a_part_of_a_page_is_told_in_a_message(self, sign_in: Any, acme: Company) -> None:
        rename(acme, system())
        answer = sign_in(acme.owner).post(settings_of(acme), sent(acme), headers={"hx-request": "true"})
        assert (answer.status_code, answer["HX-Retarget"]) == (409, "#toasts")


class TestTheVersion:
    @pytest.mark.parametrize("version", [None, "", "0", "-1", "old"])
    def test_a_form_that_does_not_say_its_own_is_refused(self, sign_in: Any, acme: Company, version: Any) -> None:
        given = {name: value for name, value in sent(acme, version=version).items() if value is not None}
        answer = sign_in(acme.owner).post(settings_of(acme), given)
        assert answer.status_code == 400
        assert "does not say which version" in text_of(answer)
        assert Organization.objects.get(pk=acme.organization.pk).name == "Acme"
