from apps.access import gate
from apps.access.actions import Action
from apps.access.actors import UserActor
def test_world(acme, globex, django_assert_num_queries):
    a=UserActor(acme.member)
    with django_assert_num_queries(1):
        assert gate.may(a, Action.PROMPTS_CREATE, acme.workspace)
        assert not gate.may(a, Action.PROMPTS_DELETE, acme.workspace)
    assert not a.belongs_to(globex.workspace)
    assert not a.belongs_to(globex.organization)
    assert UserActor(acme.owner).actions_in(acme.workspace)
    assert acme.owner.has_perm("workspaces.prompts_publish", acme.workspace)
    assert not acme.member.has_perm("workspaces.prompts_publish", acme.workspace)
    assert not UserActor(acme.suspended).belongs_to(acme.organization)
    assert acme.user_key.is_let_in
