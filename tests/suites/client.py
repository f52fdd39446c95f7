#!/usr/bin/env python3
"""A provisioning run by the client library scim2-client: it reads the schemas, makes its own classes of them, and checks every answer against them.

    BASE_URL=… TOKEN=… [CA=…] tests/suites/client.py

Needs scim2-client and httpx2 (in the virtual environment of `run.sh`). All that is created is deleted.
"""

import os
import ssl
import sys
import uuid

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import BulkOperation, BulkRequest, PatchOp, PatchOperation, ResponseParameters, SCIMException, SearchRequest

P = "cl" + uuid.uuid4().hex[:8]
passed, failures, made = 0, [], []


def check(what, holds, shown=""):
    global passed
    if holds:
        passed += 1
    else:
        failures.append(f"{what}: {str(shown)[:400]}")


def refused(what, kind, request):
    try:
        check(what, False, f"accepted: {request()}")
    except SCIMException as error:
        check(what, (error.scim_type or str(error.status)) == kind, repr(error))


def run(scim):
    User, Group = scim.get_resource_model("User"), scim.get_resource_model("Group")

    def create(resource):
        new = scim.create(resource)
        made.append((type(resource), new.id))
        return new

    def patch(of, id, *operations):
        # Read first: the library sends the version it knows as `If-Match`.
        return scim.modify(scim.query(of, id), PatchOp[of](operations=[PatchOperation(**operation) for operation in operations]))

    users = [create(User(user_name=f"{P}.{n}@corp.example", display_name=f"{P} {n % 3}", name={"givenName": "G", "familyName": f"F{n}"})) for n in range(7)]
    one, two = users[0], users[1]
    check("a create gives id and version", one.id and one.meta.version, one)
    check("what is read was created", scim.query(User, one.id).user_name == one.user_name)
    part = scim.query(User, one.id, query_parameters=ResponseParameters(attributes=["displayName"]))
    check("attributes", part.display_name and part.user_name is None, part)
    mine = f'userName sw "{P}."'
    page = scim.query(User, query_parameters=SearchRequest(filter=mine, sort_by="name.familyName", sort_order="descending", start_index=2, count=3))
    check("filter, order and page", page.total_results == 7 and [u.name.family_name for u in page.resources] == ["F5", "F4", "F3"], page)
    cursor, seen = "", []
    while cursor is not None:
        page = scim.query(User, query_parameters=SearchRequest(filter=mine, cursor=cursor, count=3))
        seen += [user.id for user in page.resources]
        cursor = page.next_cursor
    check("cursors lead through all", sorted(seen) == sorted(user.id for user in users), seen)
    first = scim.query(User, query_parameters=SearchRequest(filter=mine, cursor="", count=3)).next_cursor
    refused("another count on the way", "invalidCount", lambda: scim.query(User, query_parameters=SearchRequest(filter=mine, cursor=first, count=2)))
    found = scim.search(SearchRequest(filter=f'{mine} and displayName eq "{P} 1"', count=10))
    check("a search of all types", found.total_results == 2, found)

    mails = lambda: sorted(mail.value for mail in scim.query(User, one.id).emails or [])
    work, home, other = (f"{P}.{name}@corp.example" for name in ("work", "home", "other"))
    patch(User, one.id, {"op": "add", "path": "emails", "value": [{"type": "work", "value": work, "primary": True}, {"type": "home", "value": home}]})
    check("elements are added", mails() == sorted([work, home]), mails())
    patch(User, one.id, {"op": "replace", "path": 'emails[type eq "home" and value ew "example"].value', "value": other})
    check("a value path is replaced", mails() == sorted([work, other]), mails())
    patch(User, one.id, {"op": "remove", "path": "emails[not (primary eq true)]"})
    check("a value path is removed", mails() == [work], mails())

    whole = scim.query(User, one.id)
    stale = whole.model_copy(deep=True)
    whole.title = stale.title = "Head"
    check("a replacement", scim.replace(whole).title == "Head")
    stale.title = "Tail"
    refused("a replacement of what has changed", "412", lambda: scim.replace(stale))
    refused("a name that is taken", "uniqueness", lambda: scim.create(User(user_name=one.user_name)))
    refused("nobody", "404", lambda: scim.query(User, "nobody"))

    group = create(Group(display_name=f"{P} group", members=[{"value": one.id}, {"value": two.id}]))
    patch(Group, group.id, {"op": "remove", "path": f'members[value eq "{one.id}"]'})
    check("a member is removed", [m.value for m in scim.query(Group, group.id).members] == [two.id])
    check("the other one shows the group", [(g.value, g.type) for g in scim.query(User, two.id).groups] == [(group.id, "direct")])
    bulk = scim.bulk(BulkRequest[User | Group](fail_on_errors=1, operations=[
        BulkOperation[User](method="POST", bulk_id="u", path="/Users", data=User(user_name=f"{P}.bulk@corp.example")),
        BulkOperation[Group](method="POST", bulk_id="g", path="/Groups", data=Group(display_name=f"{P} bulk", members=[{"value": "bulkId:u"}])),
    ]))
    check("bulk", [operation.status for operation in bulk.operations] == [201, 201], bulk)
    ids = [str(operation.location).rsplit("/", 1)[-1] for operation in bulk.operations]
    made.extend(zip((User, Group), ids))
    check("bulk: the new user is in the new group", [m.value for m in scim.query(Group, ids[1]).members] == [ids[0]])


def main():
    context = ssl.create_default_context(cafile=os.environ.get("CA") or None)
    scim = SyncSCIMClient(Client(base_url=os.environ["BASE_URL"], headers={"Authorization": f"Bearer {os.environ['TOKEN']}"}, verify=context))
    try:
        scim.discover()
        run(scim)
    finally:
        for of, id in reversed(made):
            scim.delete(of, id)
    for failure in failures:
        print("FAIL", failure)
    print(f"client: {passed} passed, {len(failures)} failed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
