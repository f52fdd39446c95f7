#!/usr/bin/env python3
"""RFC 7643, 7644 and 9865 from outside: what any client may send to the demo, and what it must get.

    BASE_URL=… TOKEN=… [CA=…] tests/suites/blackbox.py [SECTION…]

Standard library only. A gateway that evens out clients' habits forgives some of what the RFCs refuse; what only `strict = true`
refuses is asked of a gateway that refuses it (`demo --serve --strict`). Every check names what it asks; a failure shows what came back. All that is created is deleted.
"""

import sys
import urllib.parse
import uuid

from checks import Checks
from scimhttp import ENTERPRISE, GROUP, MESSAGES, USER, op, user

suite = Checks("blackbox")
client, check, refused, create, made, STRICT = suite.client, suite.check, suite.refused, suite.create, suite.made, suite.strict
P = ""  # In front of every name; each section has its own.


def read(resource, query=""):
    return client.get(path_of(resource) + query).json


def path_of(resource):
    return ("/Groups/" if GROUP in resource["schemas"] else "/Users/") + resource["id"]


def group(name, *members):
    return {"schemas": [GROUP], "displayName": name, "members": [{"value": member["id"]} for member in members]}


# ------------------------------------------------------------------------------------------------------------ filters

def people():
    """Six users that differ in whatever a filter can look at."""
    mail = lambda name: [{"value": f"{P}.{name}@example.com", "type": "work", "primary": True}]
    return {
        "ann": user(f"{P}.Ann", name={"givenName": "Ann", "familyName": "O'Hara", "formatted": "Ann \"A\" O'Hara"},
                    title="Engineer", nickName="annie", locale="en-US", userType="Employee", active=True, emails=mail("ann")
                    + [{"value": f"{P}.ann@home.example", "type": "home"}],
                    addresses=[{"type": "work", "locality": "Zürich", "country": "CH", "postalCode": "8001"}],
                    **{ENTERPRISE: {"employeeNumber": "0012", "department": "Sales", "costCenter": "C-1"}}),
        "bob": user(f"{P}.Bob", name={"givenName": "Bob", "familyName": "Ávila"}, title="engineer II", nickName="BOBBY",
                    userType="Contractor", active=False, emails=mail("bob"),
                    phoneNumbers=[{"value": "tel:+1-201-555-0123", "type": "work"}, {"value": "tel:+1-201-555-9999", "type": "mobile"}],
                    **{ENTERPRISE: {"employeeNumber": "0100", "department": "Sales & Co", "division": "East"}}),
        "cid": user(f"{P}.cid", name={"givenName": "Cid", "familyName": "Zed"}, nickName="back\\slash", active=True, emails=mail("cid"),
                    roles=[{"value": "admin", "primary": True}, {"value": "auditor"}], locale="de-CH", externalId=f"{P}-EXT-Cid"),
        "dee": user(f"{P}.dee", name={"givenName": "Dee", "familyName": "de la Cruz"}, title="日本語", nickName="say \"hi\"",
                    active=True, emails=mail("dee"), timezone="Europe/Zurich", profileUrl="https://example.com/dee",
                    addresses=[{"type": "home", "locality": "Bern", "country": "CH"}, {"type": "work", "locality": "Paris", "country": "FR"}]),
        "eve": user(f"{P}.eve", name={"familyName": "True"}, nickName="and or not", active=True, emails=mail("eve"),
                    entitlements=[{"value": "x", "type": "y"}], externalId=f"{P}-ext-eve"),
        "fox": user(f"{P}.fox", title="null", active=False, ims=[{"value": "fox", "type": "xmpp"}]),
    }


ALL = "ann bob cid dee eve fox"

FILTERS = [
    # eq and case
    ('userName eq "@.ann"', "ann"), ('userName eq "@.ANN"', "ann"), ('USERNAME EQ "@.Ann"', "ann"), ('username eq "@.an"', ""),
    ('externalId eq "@-EXT-Cid"', "cid"), ('externalId eq "@-ext-cid"', ""), ('externalId ne "@-ext-cid"', ALL),
    ('nickName eq "bobby"', "bob"), ('title eq "日本語"', "dee"), ('name.familyName eq "ÁVILA"', "bob"), ('name.familyName eq "avila"', ""),
    ('nickName eq "back\\\\slash"', "cid"), ('nickName eq "say \\"hi\\""', "dee"), ('nickName eq "\\u0061nnie"', "ann"),
    ('name.familyName eq "O\'Hara"', "ann"), ('nickName eq "and or not"', "eve"), ('name.familyName eq "true"', "eve"),
    ('title eq "null"', "fox"), ('title eq null', "cid eve"), ('title ne null', "ann bob dee fox"), ('title eq ""', ""),
    # ne: what has no value differs from any value
    ('title ne "Engineer"', "bob cid dee eve fox"), ('nickName ne "annie"', "bob cid dee eve fox"),
    # co, sw, ew
    ('title co "NGINE"', "ann bob"), ('title sw "engineer"', "ann bob"), ('title ew "II"', "bob"), ('userName ew ".EVE"', "eve"),
    ('name.familyName co "la "', "dee"), ('title co "本"', "dee"), ('name.formatted co "\\"A\\""', "ann"),
    ('emails co "home.example"', "ann"), ('emails.value sw "@.b"', "bob"), ('emails.value ew "@home.example"', "ann"),
    # pr
    ('title pr', "ann bob dee fox"), ('not (title pr)', "cid eve"), ('name pr', "ann bob cid dee eve"), ('name.givenName pr', "ann bob cid dee"),
    ('emails pr', "ann bob cid dee eve"), ('addresses pr', "ann dee"), ('externalId pr', "cid eve"), ('roles.primary pr', "cid"),
    ('password pr', ""), ('meta pr', ALL), ('meta.lastModified pr', ALL), ('schemas pr', ALL), ('id pr', ALL),
    # order
    ('title gt "engineer"', "bob dee fox"), ('title ge "engineer"', "ann bob dee fox"), ('title lt "engineer ii"', "ann"),
    ('title le "engineer ii"', "ann bob"), (f'{ENTERPRISE}:employeeNumber gt "0012"', "bob"), ('locale lt "en"', "cid"),
    # boolean
    ('active eq true', "ann cid dee eve"), ('active eq false', "bob fox"), ('active ne true', "bob fox"), ('active pr', ALL),
    ('not (active eq true)', "bob fox"), ('roles.primary eq true', "cid"), ('emails.primary eq true', "ann bob cid dee eve"),
    # dates are instants
    ('meta.created gt "2011-05-13T04:42:34Z"', ALL), ('meta.lastModified lt "2011-05-13T04:42:34Z"', ""),
    ('meta.created ge "2011-05-13T06:42:34+02:00"', ALL), ('meta.created lt "2999-01-01T00:00:00.123-11:30"', ALL),
    ('meta.created le "2011-05-13T04:42:34.5Z"', ""), ('meta.resourceType eq "User"', ALL), ('meta.resourceType eq "Group"', ""),
    # value paths
    ('emails[type eq "home"]', "ann"), ('emails[type eq "home" and value co "@.ann@"]', "ann"), ('emails[type eq "work" and value ew "home.example"]', ""),
    ('emails[not (type eq "work")]', "ann"), ('emails[type eq "home" or value sw "@.bob"]', "ann bob"),
    ('addresses[country eq "ch" and type eq "work"]', "ann"), ('addresses.country eq "CH" and addresses.type eq "work"', "ann dee"),
    ('roles[value eq "auditor"]', "cid"), ('roles[primary eq true]', "cid"),
    ('roles[value pr] and locale pr', "cid"), ('ims[type eq "XMPP"]', "fox"), ('emails[type eq "fax"]', ""), ('not (emails[type eq "home"])', "bob cid dee eve fox"),
    ('roles eq "admin"', "cid"), ('emails eq "@.BOB@example.com"', "bob"), ('addresses.locality eq "zürich"', "ann"), ('addresses.locality eq "ZÜRICH"', "ann"),
    ('entitlements[type eq "y"]', "eve"), ('EMAILS[TYPE EQ "home"]', "ann"),
    # URNs
    (f'{USER}:userName eq "@.bob"', "bob"), (f'{USER}:name.givenName eq "dee"', "dee"), (f'{USER.upper()}:userName eq "@.bob"', "bob"),
    (f'{ENTERPRISE}:department eq "Sales"', "ann"), (f'{ENTERPRISE}:department sw "sales"', "ann bob"), (f'{ENTERPRISE}:division pr', "bob"),
    (f'{ENTERPRISE.lower()}:costCenter eq "c-1"', "ann"), (f'{ENTERPRISE}:manager pr', ""), (f'{ENTERPRISE}:manager.value eq "x"', ""),
    (f'not ({ENTERPRISE}:department pr)', "cid dee eve fox"), (f'schemas eq "{ENTERPRISE}"', "ann bob"), (f'schemas eq "{USER}"', ALL),
    # precedence, grouping, not
    ('title pr and active eq true or userName eq "@.fox"', "ann dee fox"), ('title pr and (active eq true or userName eq "@.fox")', "ann dee fox"),
    ('userName eq "@.ann" or userName eq "@.bob" and active eq true', "ann"), ('(userName eq "@.ann" or userName eq "@.bob") and active eq false', "bob"),
    ('not (title pr) and active eq true', "cid eve"), ('not (title pr and active eq true)', "bob cid eve fox"), ('not (not (title pr))', "ann bob dee fox"),
    ('NOT(title pr)', "cid eve"), ('((title pr))', "ann bob dee fox"), ('( title pr )', "ann bob dee fox"), ('title pr AND active eq true', "ann dee"),
    ('title pr OR externalId pr', "ann bob cid dee eve fox"), ('active eq false and not (title eq "null")', "bob"),
    ('userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")', "ann"),
    ('not (userType eq "Employee") and (emails co "example.com" or emails.value co "example.org")', "bob cid dee eve"),
    ('(title pr or roles pr) and not (active eq false or locale sw "en")', "cid dee"),
    ('profileUrl eq "https://example.com/dee"', "dee"), ('timezone eq "europe/zurich"', "dee"), ('locale sw "de-"', "cid"),
]

# A sub-attribute behind a value filter is a path of PATCH, not a filter (§3.4.2.2); clients send it all the same.
UNWRITTEN_FILTER = 'phoneNumbers[type eq "mobile"].value ew "9999"'

# Mended for clients that leave out quotes or send another type; by the RFC they are errors.
FORGIVEN_FILTERS = ["userName eq a", "userName eq 'a'", "userName eq 5", "userName eq {}", "userName eq tru"]

BAD_FILTERS = [
    "", " ", "userName", "userName eq", "eq \"a\"", "userName xx \"a\"", "userName eq \"a", "userName eq \"a\" and",
    "and userName pr", "(userName pr", "userName pr)", "not userName pr", "userName pr pr", "userName eq \"a\" userName eq \"b\"", "userName eq \"\\x\"",
    "nosuch eq \"a\"", "name.nosuch eq \"a\"", "urn:nosuch:2.0:User:userName eq \"a\"", "emails[type eq \"work\"", "emails[] pr", "emails[nosuch eq \"a\"]",
    "active gt true", "active eq \"maybe\"", "meta.created gt \"yesterday\"", "()", "userName eq \"a\" or or userName pr", "active co true",
    "userName pr xor active pr", "emails[type eq \"work\"]extra pr", "userName[value eq \"a\"]", "\"a\" eq userName", "userName eq [\"a\"]",
    "name eq \"Ann\"", "emails[emails[type eq \"work\"]]", "userName == \"a\"", "1userName pr", "$ref pr and",
]


def filters():
    bodies = people()
    ids = {create(body)["id"]: key for key, body in bodies.items()}
    mine = f'userName sw "{P}."'
    for text, expected in FILTERS:
        text = text.replace("@.", f"{P}.").replace("@-", f"{P}-")
        for form in (f"{mine} and ({text})", f"({text}) and {mine}"):
            reply = client.query("/Users", filter=form, count="1000")
            found = {ids.get(row["id"], "?") for row in reply.json.get("Resources", [])} if reply.status == 200 else None
            check(f"filter {text}", found == set(expected.split()), f"wanted {expected or 'nothing'}, got {found} {reply!r:.150}")
    for text in BAD_FILTERS + (FORGIVEN_FILTERS + [UNWRITTEN_FILTER] if STRICT else []):
        refused(f"bad filter {text!r}", client.query("/Users", filter=text), 400, "invalidFilter")
    # the whole filter, and with form encoding and raw percent signs
    for raw in (f"userName%20eq%20%22{P}.ann%22", *([] if STRICT else [f"userName+eq+%22{P}.ann%22"]), f"userName%20eq%20%22{P}%2eann%22", f"(userName%20eq%20%22{P}.ann%22)"):
        reply = client.get(f"/Users?filter={raw}")
        check(f"raw filter {raw}", reply.status == 200 and reply.json["totalResults"] == 1, reply)
    if not STRICT:
        reply = client.query("/Users", filter=f"{mine} and {UNWRITTEN_FILTER}")
        check(f"filter {UNWRITTEN_FILTER}", [ids.get(r["id"]) for r in reply.json.get("Resources", [])] == ["bob"], reply)
    for form in ('displayName eq "x"', 'members pr', 'members.value eq "x"', 'members[value eq "x"]', f'{GROUP}:displayName sw "x"'):
        check(f"group filter {form}", client.query("/Groups", filter=form).status == 200, form)
    refused("a user's attribute on groups", client.query("/Groups", filter='userName eq "x"'), 400, "invalidFilter")
    reply = client.query("/Users", filter='userName eq "nobody" and')
    check("a filter error says where", any(c.isdigit() for c in (reply.json or {}).get("detail", "")), reply)
    deep = "(" * 3000 + "userName pr" + ")" * 3000
    check("a filter that is too deep is refused", client.query("/Users", filter=deep).status in (400, 414), "")
    check("many ors", client.query("/Users", filter=" or ".join(f'userName eq "{i}"' for i in range(60))).status in (200, 400), "")
    stamp = next(iter(client.query("/Users", filter=f'userName eq "{P}.ann"').json["Resources"]))["meta"]["lastModified"]
    for operator, count in (("eq", 1), ("ge", 1), ("le", 1), ("gt", 0), ("lt", 0), ("ne", 0)):
        reply = client.query("/Users", filter=f'userName eq "{P}.ann" and meta.lastModified {operator} "{stamp}"')
        check(f"lastModified {operator} itself", reply.json.get("totalResults") == count, reply)


# -------------------------------------------------------------------------------------------------------------- pages

def whole(path, **parameters):
    reply = client.query(path, count="1000", attributes="userName", **parameters)
    return [row["id"] for row in reply.json["Resources"]]


def pages():
    everyone = whole("/Users")
    total = len(everyone)
    check("no one is there twice", len(set(everyone)) == total, total)
    for size in (1, 7, 50, 99, 100, total, total + 5):
        seen, start = [], 1
        while start <= total and len(seen) < (total if size > 5 else 20):
            reply = client.query("/Users", startIndex=start, count=size, attributes="id")
            rows = [row["id"] for row in reply.json.get("Resources", [])]
            check(f"window {start}+{size}", reply.json["startIndex"] == start and reply.json["itemsPerPage"] == len(rows)
                  and reply.json["totalResults"] == total and len(rows) == min(size, total - start + 1), reply)
            seen += rows
            start += size
        check(f"pages of {size} are the whole in order", seen == everyone[: len(seen)], size)
    for parameters, rows, start in (({"count": 0}, 0, 1), ({"count": -3}, 0, 1), ({"startIndex": 0, "count": 2}, 2, 1), ({"startIndex": -9, "count": 2}, 2, 1),
                                    ({"startIndex": total, "count": 9}, 1, total), ({"count": 99999999, "attributes": "id"}, min(total, 1000), 1)):
        reply = client.query("/Users", **parameters)
        body = reply.json
        check(f"page {parameters}", reply.status == 200 and len(body.get("Resources", [])) == rows and body["startIndex"] == start
              and body["totalResults"] == total and body["itemsPerPage"] == rows, f"{body.get('itemsPerPage')} {body.get('startIndex')}")
    reply = client.query("/Users", startIndex=total + 1, count=5)
    check("beyond the end is empty", reply.status == 200 and reply.json.get("Resources", []) == [] and reply.json["totalResults"] == total, reply)
    reply = client.query("/Users", startIndex=2**62, count=5)
    check("far beyond the end is empty", reply.status == 200 and reply.json["totalResults"] == total, reply)
    for bad in ("x", "1.5", "1e3", "0x1", "9" * 40, *([" "] if STRICT else [])):
        refused(f"startIndex={bad}", client.query("/Users", startIndex=bad), 400, "invalidValue")
        refused(f"count={bad}", client.query("/Users", count=bad), 400, "invalidValue")
        refused(f"count={bad} with a cursor", client.query("/Users", count=bad, cursor=""), 400, "invalidCount")
    if not STRICT:  # Said with nothing behind it, as some clients do, a parameter is left out; a slash too many is one.
        for said in ({"startIndex": " "}, {"count": " "}):
            check(f"an empty {said}", client.query("/Users", **said).status == 200, "")
        check("a slash too many", client.get("/Users//1").status == 200, "")
    cursors(everyone)
    sorts(everyone)


def cursors(everyone):
    total = len(everyone)
    reply = client.query("/Users", cursor="", count=40, attributes="userName")
    check("a first page by cursor has a next and no previous, no startIndex", reply.json.get("nextCursor") and "previousCursor" not in reply.json
          and "startIndex" not in reply.json, list(reply.json))
    check("the bare parameter is a first page", client.get("/Users?cursor&count=40&attributes=userName").json.get("nextCursor"), "")
    seen, first = [], reply
    last = None
    while True:
        seen += [row["id"] for row in reply.json.get("Resources", [])]
        check("a page by cursor says totalResults", reply.json.get("totalResults") == total, reply)
        last, cursor = reply, reply.json.get("nextCursor")
        if not cursor or len(seen) > total:
            break
        check("a cursor is URL safe", all(c.isalnum() or c in "-_.~" for c in cursor), cursor)
        reply = client.query("/Users", cursor=cursor, count=40, attributes="userName")
    check("cursors walk the whole in order", seen == everyone, f"{len(seen)} of {total}")
    check("the last page has no next", "nextCursor" not in last.json, last)
    back = client.query("/Users", cursor=last.json.get("previousCursor", ""), count=40, attributes="userName")
    check("previous goes back", back.status == 200 and back.json["Resources"][-1]["id"] == seen[seen.index(last.json["Resources"][0]["id"]) - 1], back)
    cursor = first.json["nextCursor"]
    for what, bad in (("tampered", cursor[:-1] + ("A" if cursor[-1] != "A" else "B")), ("flipped", ("A" if cursor[0] != "A" else "B") + cursor[1:]),
                      ("made up", "abc"), ("no base64", "!!"), ("very long", "A" * 5000), ("plain", "40")):
        refused(f"a {what} cursor", client.query("/Users", cursor=bad, count=40), 400, "invalidCursor")
    refused("a cursor of another query", client.query("/Users", cursor=cursor, count=40, filter="title pr"), 400, "invalidCursor")
    refused("a cursor of another endpoint", client.query("/Groups", cursor=cursor, count=40), 400, "invalidCursor")
    refused("another count on the way", client.query("/Users", cursor=cursor, count=3), 400, "invalidCount")
    check("no count on the way is the first one's", client.query("/Users", cursor=cursor).json.get("itemsPerPage") == 40, "")
    check("the names in a filter may change their case", client.query("/Users", cursor=client.query("/Users", cursor="", count=2, filter="userName pr").json["nextCursor"],
                                                                       count=2, filter="USERNAME PR").status == 200, "")
    body = {"schemas": [MESSAGES + "SearchRequest"], "cursor": "", "count": 40, "attributes": ["userName"]}
    reply = client.post("/Users/.search", body)
    check("a search by cursor", reply.status == 200 and reply.json.get("nextCursor"), reply)
    following = client.post("/Users/.search", {**body, "cursor": reply.json.get("nextCursor")})
    check("a search's next page", [r["id"] for r in following.json.get("Resources", [])] == everyone[40:80], following)
    check("count=0 by cursor", client.query("/Users", cursor="", count=0).json.get("totalResults") == total, "")


SORTABLE = ["userName", "name.familyName", "name.givenName", "name", "title", "active", "emails", "emails.value", "nickName", "displayName", "id",
            "meta.created", "meta.lastModified", "externalId", "locale", "userType", "phoneNumbers.value", "roles", "addresses.locality", "timezone",
            f"{ENTERPRISE}:department", f"{ENTERPRISE}:employeeNumber", f"{USER}:userName", "USERNAME", "preferredLanguage", "profileUrl", "schemas"]


def sorts(everyone):
    for by in SORTABLE:
        up = client.query("/Users", sortBy=by, count=1000, attributes="id")
        down = client.query("/Users", sortBy=by, sortOrder="descending", count=1000, attributes="id")
        if by == "name":
            continue
        ids = [[row["id"] for row in reply.json.get("Resources", [])] for reply in (up, down)]
        check(f"sort by {by} has everyone", sorted(ids[0]) == sorted(everyone) == sorted(ids[1]), f"{up!r:.200}")
        part = client.query("/Users", sortBy=by, startIndex=5, count=6, attributes="id")
        check(f"a window of a sort by {by}", [r["id"] for r in part.json.get("Resources", [])] == ids[0][4:10], "")
    key = lambda row: row["userName"].casefold()
    for order in ("ascending", "descending", "Descending"):
        rows = client.query("/Users", sortBy="userName", sortOrder=order, count=1000).json["Resources"]
        wanted = sorted(map(key, rows), reverse=order.lower() == "descending")
        check(f"sorted {order}", [key(row) for row in rows] == wanted, "")
    rows = client.query("/Users", sortBy="title", count=1000, attributes="title").json["Resources"]
    has = ["title" in row for row in rows]
    check("ascending: those without the value come last", has == sorted(has, reverse=True), has)
    rows = client.query("/Users", sortBy="title", sortOrder="descending", count=1000, attributes="title").json["Resources"]
    has = ["title" in row for row in rows]
    check("descending: those without the value come first", has == sorted(has), has)
    roots(everyone)
    refused("an unknown sortOrder", client.query("/Users", sortBy="userName", sortOrder="up"), 400, "invalidValue")
    check("sortBy of no attribute", client.query("/Users", sortBy="nosuch").status in (200, 400), "")
    check("sortOrder alone is passed over", client.query("/Users", sortOrder="descending", count=1).status == 200, "")


def roots(everyone):
    """Users and groups in one order."""
    teams = [create({"schemas": [GROUP], "displayName": f"{P}{name}"}, "/Groups") for name in ("a", "c")]
    one = create(user(f"{P}.root", displayName=f"{P}b"))
    mine = f'displayName sw "{P}"'
    for order in ("ascending", "descending"):
        rows = client.query("/", filter=mine, sortBy="displayName", sortOrder=order, excludedAttributes="members").json["Resources"]
        wanted = [teams[0]["id"], one["id"], teams[1]["id"]]
        check(f"the root sorted {order}", [r["id"] for r in rows] == (wanted if order == "ascending" else wanted[::-1]), rows)
    rows = client.query("/", filter=mine, sortBy="displayName", startIndex=2, count=1).json
    check("a window of the sorted root", [r["id"] for r in rows["Resources"]] == [one["id"]] and rows["totalResults"] == 3, rows)
    rows = client.query("/", filter=mine, sortBy="userName").json.get("Resources", [])
    check("what cannot have the value comes last", [r["id"] for r in rows][:1] == [one["id"]] and len(rows) == 3, rows)
    refused("the root sorted by nothing known", client.query("/", sortBy="nosuch"), 400, "invalidValue")


# --------------------------------------------------------------------------------------------------------- projection

def projection():
    body = people()["ann"]
    body["userName"], body["displayName"], body["emails"] = f"{P}.proj", "Ann", [{"value": f"{P}.proj@example.com", "type": "work", "primary": True}]
    one = create(body)
    path = path_of(one)
    always = {"id", "schemas"}
    cases = [
        ("attributes=userName", {"userName"}), ("attributes=USERNAME", {"userName"}), ("attributes=name.givenName", {"name"}), ("attributes=id", set()),
        ("attributes=nosuch", set()), ("attributes=password", set()), (f"attributes={ENTERPRISE}:department", {ENTERPRISE}), (f"attributes={ENTERPRISE}", {ENTERPRISE}),
        (f"attributes={USER}:userName,title", {"userName", "title"}), ("attributes=emails.value,meta.location", {"emails", "meta"}),
        ("attributes=userName&attributes=title", {"userName", "title"}), ("attributes=userName,%20title", {"userName", "title"}),
    ]
    for query, wanted in cases:
        rows = client.get(f"/Users?filter=id%20eq%20%22{one['id']}%22&{query}").json.get("Resources") or [{}]
        for what, got in (("get", read(one, f"?{query}")), ("list", rows[0])):
            check(f"{what} {query}", set(got) == always | wanted, f"{sorted(got)}")
    check("a sub-attribute alone", read(one, "?attributes=name.givenName")["name"] == {"givenName": "Ann"}, "")
    check("of elements", read(one, "?attributes=emails.value")["emails"] == [{"value": f"{P}.proj@example.com"}], "")
    check("of an extension", read(one, f"?attributes={ENTERPRISE}:department")[ENTERPRISE] == {"department": "Sales"}, "")
    whole = read(one)
    check("password is never returned", "password" not in whole, "")
    for names in ("userName", "title,name", "meta", "emails", ENTERPRISE, "NICKNAME", "addresses,locale"):
        got = read(one, f"?excludedAttributes={names}")
        out = {name.lower() for name in names.split(",")}
        check(f"excludedAttributes={names}", set(got) == {n for n in whole if n.lower() not in out}, sorted(got))
    for names in ("id", "schemas", "nosuch"):
        check(f"excludedAttributes={names} leaves all", set(read(one, f"?excludedAttributes={names}")) == set(whole), "")
    got = read(one, f"?excludedAttributes=name.givenName,emails.type,{ENTERPRISE}:department")
    check("excluded sub-attributes", "givenName" not in got["name"] and "familyName" in got["name"] and "type" not in got["emails"][0]
          and "department" not in got[ENTERPRISE] and "costCenter" in got[ENTERPRISE], got)
    for method, path_, reply in (
            ("POST", "", client.post("/Users?attributes=userName", user(f"{P}.proj2", title="x"))),
            ("PATCH", "", client.patch(path + "?attributes=title", op("replace", "title", "y"))),
            ("PUT", "", client.put(path + "?attributes=title", {**whole, "title": "z"}))):
        wanted = {"userName"} if method == "POST" else {"title"}
        check(f"attributes on {method}", reply.status in (200, 201) and set(reply.json) == always | wanted, reply)
        if method == "POST":
            made.append(path_of(reply.json))
            check("Location is there although meta was not asked for", reply.header("location") and reply.header("etag"), reply.headers)
    reply = client.patch(path + "?excludedAttributes=emails,name", op("replace", "title", "w"))
    check("excludedAttributes on PATCH", reply.status == 200 and not {"emails", "name"} & set(reply.json), reply)
    search = {"schemas": [MESSAGES + "SearchRequest"], "filter": f'userName eq "{P}.proj"', "attributes": ["title", "name.familyName"], "startIndex": 1, "count": 10}
    reply = client.post("/Users/.search", search)
    check(".search on users", reply.status == 200 and set(reply.json["Resources"][0]) == always | {"title", "name"}, reply)
    reply = client.post("/.search", search)
    check(".search on the root", reply.status == 200 and reply.json["totalResults"] == 1, reply)
    search.pop("attributes")
    reply = client.post("/.search", {**search, "excludedAttributes": ["emails"]})
    check(".search with excludedAttributes", reply.status == 200 and "emails" not in reply.json["Resources"][0], reply)
    refused(".search without its schema", client.post("/Users/.search", {"filter": "userName pr"}), 400, "invalidSyntax")
    refused(".search with a bad filter", client.post("/Users/.search", {**search, "filter": "x"}), 400, "invalidFilter")
    refused(".search that is no object", client.post("/Users/.search", [1]), 400, "invalidSyntax")
    reply = client.query("/", filter='meta.resourceType eq "Group"', count=5)
    check("a root query for groups", reply.status == 200 and all(r["meta"]["resourceType"] == "Group" for r in reply.json["Resources"]), reply)
    reply = client.query("", filter=f'userName eq "{P}.proj" or displayName eq "{P}.nogroup"')
    check("a root query over types", reply.status == 200 and reply.json["totalResults"] == 1, reply)
    reply = client.query("/", filter=f'id eq "{one["id"]}"')
    check("a root query by id", reply.status == 200 and [r["id"] for r in reply.json["Resources"]] == [one["id"]], reply)


# -------------------------------------------------------------------------------------------------------------- PATCH

def patches():
    body = user(f"{P}.patch", title="t", nickName="n", name={"givenName": "g", "familyName": "f"}, active=True,
                emails=[{"value": f"{P}.w@example.com", "type": "work", "primary": True}, {"value": f"{P}.h@example.com", "type": "home"}],
                roles=[{"value": "r1"}, {"value": "r2", "type": "x"}], **{ENTERPRISE: {"department": "d", "costCenter": "c"}})
    one = create(body)
    path = path_of(one)
    state = lambda: {k: v for k, v in read(one).items() if k not in ("meta", "groups", "schemas", "id")}
    full = {k: v for k, v in body.items() if k != "schemas"}

    def reset():
        reply = client.put(path, body)
        assert reply.status == 200, reply

    def good(what, *operations, **expected):
        """After the operations the resource is `full` with `expected` over it; None means gone."""
        reset()
        reply = client.patch(path, *operations)
        wanted = {k: v for k, v in {**full, **expected}.items() if v is not None}
        after = state()
        answered = {k: v for k, v in (reply.json or {}).items() if k not in ("meta", "groups", "schemas", "id")} if reply.status == 200 else None
        check(f"PATCH {what}", reply.status == 200 and same(after, wanted), f"{reply.status} {reply.kind} {differing(after, wanted)}")
        check(f"PATCH {what}: the answer is what a GET says", answered is None or same(answered, after), differing(answered, after) if answered else "")

    def bad(what, status, kind, *operations):
        before = read(one)
        refused(f"PATCH {what}", client.patch(path, *operations), status, kind)
        check(f"PATCH {what} changes nothing", read(one) == before, "")

    work, home = body["emails"]
    good("add to a single value replaces it", op("add", "title", "u"), title="u")
    good("add without a path", op("add", None, {"title": "u", "userType": "k"}), title="u", userType="k")
    good("add a complex value merges", op("add", "name", {"middleName": "m"}), name={"givenName": "g", "familyName": "f", "middleName": "m"})
    good("replace a complex value merges", op("replace", "name", {"givenName": "G"}), name={"givenName": "G", "familyName": "f"})
    good("add an element", op("add", "roles", [{"value": "r3"}]), roles=body["roles"] + [{"value": "r3"}])
    good("add one element without brackets", op("add", "roles", {"value": "r3"}), roles=body["roles"] + [{"value": "r3"}])
    good("add an element that is there", op("add", "roles", [{"value": "r1"}]))
    good("add elements without a path", op("add", None, {"roles": [{"value": "r3"}]}), roles=body["roles"] + [{"value": "r3"}])
    good("a new primary takes the flag", op("add", "emails", [{"value": f"{P}.o@example.com", "type": "other", "primary": True}]),
         emails=[{**work, "primary": False}, home, {"value": f"{P}.o@example.com", "type": "other", "primary": True}])
    good("replace a list", op("replace", "roles", [{"value": "z"}]), roles=[{"value": "z"}])
    good("replace a list by nothing", op("replace", "roles", []), roles=None)
    good("replace an attribute that is not there", op("replace", "userType", "k"), userType="k")
    good("replace without a path", op("replace", None, {"title": "u", "roles": [{"value": "z"}]}), title="u", roles=[{"value": "z"}])
    good("replace a sub-attribute", op("replace", "name.givenName", "G"), name={"givenName": "G", "familyName": "f"})
    good("replace by a value filter", op("replace", 'emails[type eq "home"].value', f"{P}.h2@example.com"), emails=[work, {**home, "value": f"{P}.h2@example.com"}])
    good("replace an element", op("replace", 'emails[type eq "home"]', {"value": f"{P}.h2@example.com", "type": "other"}),
         emails=[work, {"value": f"{P}.h2@example.com", "type": "other"}])
    good("replace a sub-attribute of all", op("replace", "roles.type", "k"), roles=[{"value": "r1", "type": "k"}, {"value": "r2", "type": "k"}])
    good("primary moves", op("replace", 'emails[type eq "home"].primary', True), emails=[{**work, "primary": False}, {**home, "primary": True}])
    good("remove an attribute", op("remove", "title"), title=None)
    good("remove a sub-attribute", op("remove", "name.givenName"), name={"familyName": "f"})
    good("remove a complex attribute", op("remove", "name"), name=None)
    good("remove a list", op("remove", "roles"), roles=None)
    good("remove by a value filter", op("remove", 'roles[value eq "r1"]'), roles=body["roles"][1:])
    good("remove by a compound value filter", op("remove", 'roles[value sw "r" and type pr]'), roles=body["roles"][:1])
    good("remove all elements by a value filter", op("remove", 'roles[value pr]'), roles=None)
    good("remove a sub-attribute of elements", op("remove", 'roles[value eq "r2"].type'), roles=[{"value": "r1"}, {"value": "r2"}])
    good("remove what is not there", op("remove", "userType"))
    good("extension attribute by URN", op("replace", f"{ENTERPRISE}:department", "D"), **{ENTERPRISE: {"department": "D", "costCenter": "c"}})
    good("extension by its URN", op("add", ENTERPRISE, {"division": "v"}), **{ENTERPRISE: {"department": "d", "costCenter": "c", "division": "v"}})
    good("extension without a path", op("add", None, {ENTERPRISE: {"division": "v"}}), **{ENTERPRISE: {"department": "d", "costCenter": "c", "division": "v"}})
    good("remove an extension", op("remove", ENTERPRISE), **{ENTERPRISE: None})
    good("remove an extension's attribute", op("remove", f"{ENTERPRISE}:department"), **{ENTERPRISE: {"costCenter": "c"}})
    good("core attribute by URN", op("replace", f"{USER}:title", "u"), title="u")
    good("core sub-attribute by URN", op("replace", f"{USER}:name.givenName", "G"), name={"givenName": "G", "familyName": "f"})
    good("attribute names in any case", op("replace", "TITLE", "u"), op("replace", "Name.GIVENNAME", "G"), title="u", name={"givenName": "G", "familyName": "f"})
    good("operations in order", op("remove", "title"), op("add", "title", "a"), op("replace", "title", "b"), title="b")
    good("an element that was added can be changed", op("add", "roles", [{"value": "q"}]), op("replace", 'roles[value eq "q"].display', "Q"),
         roles=body["roles"] + [{"value": "q", "display": "Q"}])
    good("active", op("replace", "active", False), active=False)
    good("unicode", op("replace", "title", "日本 🎉 \u0301"), title="日本 🎉 \u0301")
    good("userName", op("replace", "userName", f"{P}.patched"), userName=f"{P}.patched")
    good("externalId", op("add", "externalId", "Ext-1"), externalId="Ext-1")
    good("what is set again", op("replace", "title", "t"))
    good("id set to itself", op("replace", "id", one["id"]))
    good("null removes", {"op": "replace", "path": "title", "value": None}, title=None)
    if not STRICT:
        good("an empty path is none", {"op": "add", "path": "", "value": {"title": "u"}}, title="u")
        good("an op in another case", op("Replace", "title", "u"), title="u")
        good("a boolean as a string", op("replace", "active", "False"), active=False)
        good("an unknown attribute is passed over", op("replace", "nosuch", "x"), op("replace", "title", "u"), title="u")
    reset()
    if STRICT:
        strict_patches(bad)
    bad("a readOnly attribute", 400, "mutability", op("replace", "id", "other"))
    bad("readOnly meta", 400, "mutability", op("replace", "meta.created", "2011-05-13T04:42:34Z"))
    bad("removal of a required attribute", 400, None, op("remove", "userName"))
    bad("an empty required attribute", 400, "invalidValue", op("replace", "userName", ""))
    bad("a path that is none", 400, "invalidPath", op("replace", "emails[type eq", "x"))
    bad("a path with a bad operator", 400, None, op("replace", 'emails[type zz "work"].value', "x"))
    bad("a remove without a path", 400, "noTarget", {"op": "remove"})
    bad("an unknown op", 400, "invalidSyntax", op("move", "title", "x"))
    bad("no op", 400, "invalidSyntax", {"path": "title", "value": "x"})
    bad("a value of another type", 400, "invalidValue", op("replace", "title", {"a": 1}))
    bad("a boolean that is none", 400, "invalidValue", op("replace", "active", "perhaps"))
    bad("a list for a single value", 400, "invalidValue", op("replace", "title", ["a", "b"]))
    bad("a string for a complex value", 400, "invalidValue", op("replace", "name", "Ann"))
    bad("all or nothing", 400, "mutability", op("replace", "title", "u"), op("replace", "id", "other"))
    bad("a value filter on a single value", 400, None, op("replace", 'title[value eq "t"]', "u"))
    for what, document in (("no operations", {"schemas": [MESSAGES + "PatchOp"], "Operations": []}), ("no schemas", {"Operations": [op("replace", "title", "x")]}),
                           ("another schema", {"schemas": [USER], "Operations": [op("replace", "title", "x")]}), ("operations that are none", {"schemas": [MESSAGES + "PatchOp"], "Operations": "x"}),
                           ("an operation that is none", {"schemas": [MESSAGES + "PatchOp"], "Operations": [1]}), ("nothing", {"schemas": [MESSAGES + "PatchOp"]})):
        reply = client.send("PATCH", path, document)
        check(f"PATCH with {what}", reply.status in (200, 400) and (reply.status == 200 or reply.kind in ("invalidSyntax", "invalidValue")), reply)
    reset()
    before = client.get(path)
    reply = client.patch(path, op("replace", "title", "t"))
    check("setting what is there keeps the version", reply.header("etag") == before.header("etag"), reply.headers)
    check("and lastModified", (reply.json or before.json)["meta"]["lastModified"] == before.json["meta"]["lastModified"], reply)
    refused("PATCH of nobody", client.patch("/Users/424242424", op("replace", "title", "t")), 404)
    members()


def strict_patches(bad):
    """What is forgiven, unless the gateway is told not to."""
    bad("readOnly groups", 400, "mutability", op("add", "groups", [{"value": "x"}]))
    bad("an unknown attribute", 400, "invalidPath", op("replace", "nosuch", "x"))
    bad("an unknown sub-attribute", 400, "invalidPath", op("replace", "name.nosuch", "x"))
    bad("an unknown extension", 400, "invalidPath", op("replace", "urn:nosuch:2.0:User:a", "x"))
    bad("an unknown attribute without a path", 400, "invalidSyntax", op("replace", None, {"nosuch": "x"}))
    bad("a value filter that matches nothing", 400, "noTarget", op("replace", 'emails[type eq "fax"].value', "x@example.com"))
    bad("an add to a value filter that matches nothing", 400, "noTarget", op("add", 'emails[type eq "fax"].display', "x"))
    bad("all or nothing", 400, "invalidPath", op("replace", "title", "u"), op("replace", "nosuch", "x"))
    bad("a string for a boolean", 400, "invalidValue", op("replace", "active", "False"))
    bad("a remove with a value", 400, "invalidSyntax", op("remove", "roles", [{"value": "r1"}]))


def members():
    three = [create(user(f"{P}.m{i}")) for i in range(3)]
    team = create(group(f"{P} team", three[0]), "/Groups")
    path = path_of(team)
    ids = lambda: {m["value"] for m in read(team).get("members", [])}
    of = lambda *which: {three[i]["id"] for i in which}
    value = lambda *which: [{"value": three[i]["id"]} for i in which]
    check("a created group has its members", ids() == of(0), ids())
    steps = [
        ("add two", op("add", "members", value(1, 2)), of(0, 1, 2)), ("add one again", op("add", "members", value(1)), of(0, 1, 2)),
        ("remove one", op("remove", f'members[value eq "{three[1]["id"]}"]'), of(0, 2)), ("remove one that is not in", op("remove", f'members[value eq "{three[1]["id"]}"]'), of(0, 2)),
        ("add without a path", op("add", None, {"members": value(1)}), of(0, 1, 2)), ("replace all", op("replace", "members", value(2)), of(2)),
        ("remove all", op("remove", "members"), set()), ("replace without a path", op("replace", None, {"members": value(0, 1), "displayName": f"{P} crew"}), of(0, 1)),
        ("remove by ors", op("remove", f'members[value eq "{three[0]["id"]}" or value eq "{three[1]["id"]}"]'), set()), ("add", op("add", "members", value(0, 1, 2)), of(0, 1, 2)),
        ("replace by nothing", op("replace", "members", []), set()), ("one member as an object", op("add", "members", value(1)[0]), of(1)),
    ]
    for what, operation, wanted in steps:
        reply = client.patch(path, operation)
        check(f"members: {what}", reply.status in (200, 204) and ids() == wanted, f"{reply!r:.200} {ids()}")
    check("a renamed group", read(team)["displayName"] == f"{P} crew", "")
    shown = read(three[1]).get("groups", [])
    check("a user's groups", [g["value"] for g in shown] == [team["id"]], shown)
    check("members have $ref and type", all(m.get("$ref", "").endswith("/Users/" + m["value"]) for m in read(team)["members"]), read(team))
    refused("a member that does not exist", client.patch(path, op("add", "members", [{"value": "999999999"}])), 400, "invalidValue")
    both = client.patch(path, op("add", "members", value(0)), op("remove", f'members[value eq "{three[1]["id"]}"]'))
    check("add and remove at once", both.status in (200, 204) and ids() == of(0), ids())
    version = client.get(path).header("etag")
    client.patch(path, op("add", "members", value(2)))
    refused("members under an old version", client.patch(path, op("add", "members", value(1)), headers={"If-Match": version}), 412)
    check("are as they were", ids() == of(0, 2), ids())
    reply = client.put(path, {"schemas": [GROUP], "displayName": f"{P} put", "members": value(1)})
    check("PUT sets the members", reply.status == 200 and ids() == of(1), reply)
    reply = client.query("/Groups", filter=f'members.value eq "{three[1]["id"]}"')
    check("groups by member", [g["id"] for g in reply.json["Resources"]] == [team["id"]], reply)
    reply = client.query("/Groups", filter=f'displayName eq "{P} PUT"', excludedAttributes="members")
    check("groups by name, without members", reply.json["totalResults"] == 1 and "members" not in reply.json["Resources"][0], reply)
    check("a group's member that is deleted is gone", client.delete(path_of(three[1])).status == 204 and ids() == set(), ids())
    refused("a second group of the same name", client.post("/Groups", group(f"{P} put")), 409, "uniqueness")


def same(a, b):
    norm = lambda v: {k: norm(w) for k, w in v.items() if w is not False or k != "primary"} if isinstance(v, dict) else [norm(w) for w in v] if isinstance(v, list) else v
    return norm(a) == norm(b)


def differing(a, b):
    return {k: (a.get(k), b.get(k)) for k in set(a) | set(b) if a.get(k) != b.get(k)}


# --------------------------------------------------------------------------------------------------------- life cycle

def life():
    reply = client.post("/Users", user(f"{P}.life", password="Secret-123", title="t", id="chosen", meta={"created": "2001-01-01T00:00:00Z"}, groups=[{"value": "1"}]))
    one = reply.json
    made.append(path_of(one))
    check("201, Location, ETag, media type", reply.status == 201 and reply.header("location") == one["meta"]["location"] == f"{client.base_url}/Users/{one['id']}"
          and reply.header("etag") == one["meta"]["version"] and reply.header("content-type").startswith("application/scim+json"), reply.headers)
    check("readOnly values of the client are passed over", one["id"] != "chosen" and not one["meta"]["created"].startswith("2001") and "groups" not in one, one)
    check("the password is not returned", "password" not in one and b"Secret-123" not in reply.raw, reply)
    check("schemas say what is there", one["schemas"] == [USER], one["schemas"])
    check("meta is whole", set(one["meta"]) >= {"resourceType", "created", "lastModified", "location", "version"}, one["meta"])
    path = path_of(one)
    got = client.get(path)
    check("GET gives what POST gave", got.json == one and got.header("etag") == reply.header("etag"), got)
    listed = client.query("/Users", filter=f'id eq "{one["id"]}"').json["Resources"][0]
    check("and so does a list, version included", listed == one, differing(listed, one))
    refused("a second of the same name", client.post("/Users", user(f"{P}.LIFE", title="other")), 409, "uniqueness")
    # preconditions
    etag = got.header("etag")
    for value, status in ((etag, 304), ("*", 304), (f'"x", {etag}', 304), (etag.replace("W/", ""), 304), ('W/"other"', 200), ('"x"', 200)):
        reply = client.get(path, If_None_Match=value)
        check(f"If-None-Match {value[:8]}…", reply.status == status and (status == 200 or (not reply.raw and reply.header("etag") == etag)), reply)
    for value in ('W/"other"', '"x", "y"', '"unterminated', "W/", '""'):
        for method, send in (("PUT", lambda h: client.put(path, user(f"{P}.life", title="lost"), h)), ("PATCH", lambda h: client.patch(path, op("replace", "title", "lost"), headers=h)),
                             ("DELETE", lambda h: client.delete(path, h))):
            refused(f"{method} If-Match {value}", send({"If-Match": value}), 412)
    check("nothing was lost", read(one) == one, differing(read(one), one))
    for form in ("{}", "*", '"x",{}', "{}, W/\"y\""):
        value = form.replace("{}", etag)
        reply = client.patch(path, op("replace", "title", f"by {value[:3]}{uuid.uuid4().hex[:4]}"), headers={"If-Match": value})
        check(f"PATCH If-Match {value[:6]}", reply.status == 200 and reply.header("etag") != etag, reply)
        etag = reply.header("etag")
        check("the ETag of the answer is that of a GET", client.get(path).header("etag") == etag, "")
    # PUT
    client.patch(path, op("add", None, {"nickName": "n", "name": {"givenName": "g", "familyName": "f"}, ENTERPRISE: {"department": "d"}, "roles": [{"value": "r"}]}))
    reply = client.put(path, user(f"{P}.life", name={"familyName": "F"}, active=True))
    check("PUT clears what is left out", reply.status == 200 and not {"nickName", ENTERPRISE, "title"} & set(reply.json) and reply.json["name"] == {"familyName": "F"}, reply)
    check("schemas follow", reply.json["schemas"] == [USER], reply.json.get("schemas"))
    check("PUT passes over readOnly values", client.put(path, user(f"{P}.life", id="other", meta={"created": "2001-01-01T00:00:00Z"})).json.get("id") == one["id"], "")
    check("created stays", read(one)["meta"]["created"] == one["meta"]["created"], "")
    refused("PUT without a required attribute", client.put(path, {"schemas": [USER], "title": "x"}), 400, "invalidValue")
    refused("PUT of nobody", client.put("/Users/424242424", user(f"{P}.nobody")), 404)
    other = create(user(f"{P}.life2"))
    refused("PUT of another's name", client.put(path_of(other), user(f"{P}.life")), 409, "uniqueness")
    refused("PATCH of another's name", client.patch(path_of(other), op("replace", "userName", f"{P}.Life")), 409, "uniqueness")
    check("a name may change its case", client.put(path_of(other), user(f"{P}.LIFE2")).json.get("userName") == f"{P}.LIFE2", "")
    boss = {"value": one["id"]}
    reply = client.put(path_of(other), {**user(f"{P}.life2"), "schemas": [USER, ENTERPRISE], ENTERPRISE: {"manager": boss}})
    check("manager has value and $ref", reply.status == 200 and reply.json[ENTERPRISE]["manager"]["value"] == one["id"], reply)
    forgiven = [user(f"{P}.x", title=7), user(7), {"schemas": [], "userName": f"{P}.x"}, {"schemas": ["urn:nosuch"], "userName": f"{P}.x"}, {"userName": f"{P}.x"},
                {"schemas": "x", "userName": f"{P}.x"}, user(f"{P}.x", nosuch="x"),
                user(f"{P}.x", emails=[{"value": "a@example.com", "primary": True}, {"value": "b@example.com", "primary": True}])]
    for bad in [user(f"{P}.x", active="perhaps"), user(f"{P}.x", name=["x", "y"]), user(""), user(None), {"schemas": [USER]}, [], "x", 7, None, user(f"{P}.x", name=[["x"]]),
                user(f"{P}.x", emails=[[{"value": "x"}]]),
                *(forgiven if STRICT else [])]:
        reply = client.send("POST", "/Users", b"null" if bad is None else bad)
        if reply.status == 201:
            made.append(path_of(reply.json))
        check(f"POST {bad!r:.140}", reply.status == 400 and reply.kind in ("invalidValue", "invalidSyntax"), reply)
    # the end
    check("DELETE is 204 with nothing", (lambda r: r.status == 204 and not r.raw and r.header("content-type") is None)(client.delete(path)), "")
    refused("DELETE again", client.delete(path), 404)
    for method in ("GET", "PUT", "PATCH"):
        body = {"PUT": user(f"{P}.life"), "PATCH": {"schemas": [MESSAGES + "PatchOp"], "Operations": [op("replace", "title", "x")]}}.get(method)
        refused(f"{method} of the deleted", client.send(method, path, body), 404)
    check("and is not listed", client.query("/Users", filter=f'userName eq "{P}.life"').json["totalResults"] == 0, "")
    check("the name is free", create(user(f"{P}.life"))["id"] != one["id"], "")


# --------------------------------------------------------------------------------------------------------------- bulk

def bulk():
    request = lambda *operations, **more: client.post("/Bulk", {"schemas": [MESSAGES + "BulkRequest"], "Operations": list(operations), **more})
    do = lambda method, path, data=None, bulk_id=None, **more: {k: v for k, v in {"method": method, "path": path, "data": data, "bulkId": bulk_id, **more}.items() if v is not None}
    patch = lambda *operations: {"schemas": [MESSAGES + "PatchOp"], "Operations": list(operations)}

    def made_by(reply):
        for result in reply.json.get("Operations", []):
            if result.get("method") == "POST" and result.get("location"):
                made.append(result["location"][len(client.base_url):])

    # a forward reference: the group comes first
    reply = request(do("POST", "/Groups", {"schemas": [GROUP], "displayName": f"{P} bulk", "members": [{"value": "bulkId:u"}]}, "g"), do("POST", "/Users", user(f"{P}.bulk"), "u"))
    made_by(reply)
    results = {r.get("bulkId"): r for r in reply.json.get("Operations", [])}
    check("bulk with a forward reference", reply.status == 200 and reply.json["schemas"] == [MESSAGES + "BulkResponse"] and all(results[k]["status"] == "201" and results[k]["location"] for k in "gu"), reply)
    team = client.get(results["g"]["location"][len(client.base_url):]).json
    check("and the member is in", team["members"][0]["value"] == results["u"]["location"].rsplit("/", 1)[1], team)
    # a circle of managers
    circle = [do("POST", "/Users", {**user(f"{P}.c{i}"), "schemas": [USER, ENTERPRISE], ENTERPRISE: {"manager": {"value": f"bulkId:c{1 - i}"}}}, f"c{i}") for i in (0, 1)]
    reply = request(*circle)
    made_by(reply)
    check("bulk with a circle", [r["status"] for r in reply.json["Operations"]] == ["201", "201"], reply)
    ids = [r["location"].rsplit("/", 1)[1] for r in reply.json["Operations"]]
    check("whose managers are set", [client.get(f"/Users/{ids[i]}").json[ENTERPRISE]["manager"]["value"] for i in (0, 1)] == ids[::-1], "")
    # every method, versions, errors in their places
    here = f"/Users/{ids[0]}"
    version = client.get(here).header("etag")
    reply = request(do("PATCH", here, patch(op("replace", "title", "b")), version=version), do("PATCH", here, patch(op("replace", "title", "c")), version=version),
                    do("PUT", here, user(f"{P}.c0", title="d")), do("DELETE", f"/Users/{ids[1]}"), do("DELETE", "/Users/424242424"), do("GET", here), do("POST", "/Nosuch", {}, "n"),
                    do("POST", "/Users", user(f"{P}.nobulkid")), do("POST", "/Users", {"schemas": [USER]}, "e"))
    statuses = [r.get("status") for r in reply.json.get("Operations", [])]
    check("bulk: one answer per operation, in order", reply.status == 400 or len(statuses) == 9, reply)
    if reply.status == 200:
        made_by(reply)
        check("bulk statuses", statuses[:5] == ["200", "412", "200", "204", "404"] and all(s >= "400" for s in statuses[5:7] + statuses[8:]), statuses)
        check("an error of bulk is a SCIM error", reply.json["Operations"][1].get("response", {}).get("status") == "412", reply.json["Operations"][1])
        check("the last one names invalidValue", reply.json["Operations"][8].get("response", {}).get("scimType") == "invalidValue", reply.json["Operations"][8])
        check("a success has no response", "response" not in reply.json["Operations"][0], reply.json["Operations"][0])
    # failOnErrors
    bad = lambda i: do("POST", "/Users", {"schemas": [USER]}, f"b{i}")
    reply = request(bad(1), bad(2), do("POST", "/Users", user(f"{P}.late"), "late"), failOnErrors=1)
    made_by(reply)
    check("failOnErrors=1 ends after the first", len(reply.json["Operations"]) == 1, reply)
    reply = request(bad(1), bad(2), do("POST", "/Users", user(f"{P}.late2"), "late"), failOnErrors=3)
    made_by(reply)
    check("failOnErrors=3 lets three through", [r["status"] for r in reply.json["Operations"]] == ["400", "400", "201"], reply)
    reply = request(do("POST", "/Groups", {"schemas": [GROUP], "displayName": f"{P} orphan", "members": [{"value": "bulkId:gone"}]}, "g"))
    made_by(reply)
    check("an unknown bulkId", reply.status == 400 or reply.json["Operations"][0]["status"] in ("400", "409"), reply)
    # the request as a whole
    config = client.get("/ServiceProviderConfig").json["bulk"]
    many = [do("DELETE", f"/Users/42424{i}") for i in range(config["maxOperations"] + 1)]
    refused("too many operations", request(*many), 413)
    big = do("POST", "/Users", user(f"{P}.big", title="x" * (config["maxPayloadSize"] + 10)), "big")
    refused("too many bytes", request(big), 413)
    for what, body in (("no schemas", {"Operations": []}), ("no list", {"schemas": [MESSAGES + "BulkRequest"], "Operations": {}}), ("no operations", {"schemas": [MESSAGES + "BulkRequest"]}),
                       ("an array", []), ("failOnErrors as a word", {"schemas": [MESSAGES + "BulkRequest"], "Operations": [], "failOnErrors": "x"})):
        reply = client.post("/Bulk", body)
        check(f"bulk with {what}", reply.status == 400 and reply.kind in ("invalidSyntax", "invalidValue"), reply)
    reply = request(do("POST", "/Users", user(f"{P}.twice"), "t"), do("POST", "/Users", user(f"{P}.twice2"), "t"))
    made_by(reply) if reply.status == 200 else None
    check("a bulkId twice", reply.status == 400 or "400" in [r["status"] for r in reply.json["Operations"]], reply)
    refused("GET /Bulk", client.get("/Bulk"), 405)


# ---------------------------------------------------------------------------------------------------------- discovery

def discovery():
    config = client.get("/ServiceProviderConfig")
    check("ServiceProviderConfig", config.status == 200 and config.json["schemas"] == ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"]
          and all(config.json[k]["supported"] is True for k in ("patch", "bulk", "filter", "sort", "etag")) and "changePassword" in config.json
          and config.json["authenticationSchemes"][0]["type"] == "oauthbearertoken", config)
    pagination = config.json.get("pagination", {})
    check("RFC 9865 pagination is announced", pagination.get("cursor") is True and pagination.get("index") is True, pagination)
    for kind, schema in (("ResourceTypes", "ResourceType"), ("Schemas", "Schema")):
        reply = client.get(f"/{kind}")
        check(f"/{kind} is a ListResponse", reply.json["schemas"] == [MESSAGES + "ListResponse"] and reply.json["totalResults"] == len(reply.json["Resources"]), reply)
        for row in reply.json["Resources"]:
            one = client.get(f"/{kind}/{row['id']}")
            check(f"/{kind}/{row['id']}", one.status == 200 and one.json == row and row["meta"]["resourceType"] == schema and row["meta"]["location"].endswith(f"/{kind}/{row['id']}"), one)
            if kind == "ResourceTypes":
                check(f"{row['id']} has its schema and endpoint", client.get(f"/Schemas/{row['schema']}").status == 200 and client.query(row["endpoint"], count=1).status == 200, row)
        refused(f"/{kind}/nosuch", client.get(f"/{kind}/nosuch"), 404)
        refused(f"a filter on /{kind}", client.query(f"/{kind}", filter='id eq "User"'), 403)
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            reply = client.send(method, f"/{kind}", {} if method != "DELETE" else None)
            refused(f"{method} /{kind}", reply, 405)
            check(f"{method} /{kind} has Allow", "GET" in (reply.header("allow") or ""), reply.headers)
    refused("a filter on /ServiceProviderConfig", client.query("/ServiceProviderConfig", filter="x pr"), 403)
    encoded = urllib.parse.quote(USER, safe="")
    check("a schema by percent-encoded id", client.get(f"/Schemas/{encoded}").status == 200, encoded)
    check("a schema in another case", client.get(f"/Schemas/{USER.upper()}").status in (200, 404), "")
    me = client.get("/Me")
    check("/Me is 501 or somebody", me.status in (200, 404, 501), me)
    for path, method, allow in (("/Users", "PUT", "POST"), ("/Users", "DELETE", "GET"), ("/Users", "PATCH", "POST"), ("/Users/1", "POST", "PATCH"), ("/Bulk", "GET", "POST"),
                                ("/Users/.search", "GET", "POST"), ("/.search", "GET", "POST"), ("/", "POST", "GET"), ("/ServiceProviderConfig", "DELETE", "GET")):
        reply = client.send(method, path, {} if method in ("PUT", "PATCH", "POST") else None)
        refused(f"{method} {path}", reply, 405)
        check(f"{method} {path} says what is allowed", allow in (reply.header("allow") or ""), reply.headers)
    for path in ("/Nosuch", "/Users/1/2", "/Userss", "/users/1/x", "/Schemas/a/b", *(["/Users//1"] if STRICT else [])):
        refused(f"GET {path}", client.get(path), 404)
    check("OPTIONS", (lambda r: r.status in (200, 204) and "PATCH" in (r.header("allow") or ""))(client.send("OPTIONS", "/Users/1")), "")


# --------------------------------------------------------------------------------------------------------------- HTTP

def http():
    one = create(user(f"{P}.http-é", title="Ünïcødé 🎉"))
    path = path_of(one)
    got = client.get(path)
    for where in (path, "/Users", "/Schemas", "/ServiceProviderConfig"):
        head, full = client.send("HEAD", where), client.get(where)
        check(f"HEAD {where}", head.status == 200 and not head.raw and head.header("content-type") == full.header("content-type") and head.header("etag") == full.header("etag"), head.headers)
    check("HEAD of nobody", client.send("HEAD", "/Users/424242424").status == 404, "")
    check("unicode comes back", got.json["title"] == "Ünïcødé 🎉" and got.json["userName"] == f"{P}.http-é", got)
    check("content is UTF-8 and no-store", got.header("cache-control") in ("no-store", "no-cache", "private, no-store", None), got.headers)
    for slash in (path + "/", "/Users/", "/Schemas/", "/ServiceProviderConfig/"):
        check(f"a slash at the end: {slash}", client.get(slash).status == 200, slash)
    encoded = "".join(f"%{ord(c):02X}" for c in one["id"])
    check("a percent-encoded id", client.get(f"/Users/{encoded}").json.get("id") == one["id"], encoded)
    for bad in ("%00", "%2F", "..%2F..", "%", "%zz", "%ff", "a%20b", "é".encode().hex(), "%F0%9F%8E%89", "1%0d%0aX:y", "-1", "007", "1e3", "*", "' or 1=1", "x" * 2000):
        reply = client.get("/Users/" + bad.replace(" ", "%20"))
        check(f"GET /Users/{bad[:20]}", reply.status in (400, 404, 414), reply)
    for prefix in ("/scim/v2", "/v2", "/scim", ""):
        reply = client.send("GET", f"{prefix}{path}", absolute=True)
        check(f"under {prefix or '/'}", reply.status == 200 and reply.json["meta"]["location"].endswith(f"{prefix}{path}"), reply)
    for kind in ("application/json", "application/scim+json; charset=utf-8", "application/json;charset=UTF-8", "APPLICATION/JSON", None):
        reply = client.send("PATCH", path, {"schemas": [MESSAGES + "PatchOp"], "Operations": [op("replace", "nickName", "x")]}, {"Content-Type": kind})
        check(f"Content-Type {kind}", reply.status == 200, reply)
    for kind in ("text/plain", "application/xml", "multipart/form-data", "application/x-www-form-urlencoded", "text/html; charset=utf-8"):
        refused(f"Content-Type {kind}", client.send("PATCH", path, {"schemas": [], "Operations": []}, {"Content-Type": kind}), 415)
    for accept, statuses in (("application/json", (200,)), ("*/*", (200,)), (None, (200,)), ("application/scim+json;q=0.9, */*;q=0.1", (200,)), ("text/html", (200, 406))):
        check(f"Accept {accept}", client.send("GET", path, headers={"Accept": accept}).status in statuses, accept)
    broken = [b"{", b"", b"   ", b"{]", b'{"a":1,}', b"\xff\xfe", b'{"userName": "a\xff"}', b'{"a" 1}', b"nul", b'{"schemas":["x"]} x', b"'", b'{"a": NaN}', b'{"a":01}', b'"\\ud800"', b"\x00",
              b"[" * 5000, b'{"a":' * 5000, b'{"userName":"x","userName":"y"}', b'{"schemas":[],"title":{"a":{"a":{"a":{}}}}}']
    for body in broken:
        for method, where in (("POST", "/Users"), ("PUT", path), ("PATCH", path), ("POST", "/Users/.search"), ("POST", "/Bulk")):
            reply = client.send(method, where, body)
            check(f"{method} {where[:6]} {body[:24]!r}", reply.status == 400 and reply.kind in ("invalidSyntax", "invalidValue"), reply)
    check("a byte order mark is passed over or refused", client.send("PUT", path, "\ufeff".encode() + b'{"schemas":["%s"],"userName":"%s"}' % (USER.encode(), f"{P}.bom".encode())).status in (200, 400), "")
    reply = client.send("POST", "/Users", b'{"schemas":["' + USER.encode() + b'"],"userName":"' + b"x" * (3 << 20) + b'"}')
    refused("a body of 3 MiB", reply, 413)
    for token, what in ((None, "no"), ("Bearer", "an empty"), ("Bearer x", "a wrong"), ("Basic eDp5", "a basic"), (f"bearer {client.token}", "a lower-case"), (f"Bearer {client.token}x", "a longer"),
                        (f"Bearer  {client.token}", "a widely spaced")):
        reply = client.send("GET", path, headers={"Authorization": token})
        if what in ("a lower-case", "a widely spaced"):
            check(f"{what} credential", reply.status in (200, 401), reply)
        else:
            refused(f"{what} credential", reply, 401)
            check(f"{what} credential: WWW-Authenticate", (reply.header("www-authenticate") or "").startswith("Bearer"), reply.headers)
    check("a credential before a route", client.send("GET", "/Nosuch", headers={"Authorization": None}).status == 401, "")
    reply = client.get(path, X_Forwarded_Proto="http", X_Forwarded_Host="evil.example", Forwarded="host=evil.example")
    check("an untrusted proxy cannot set locations", "evil" not in reply.raw.decode(), reply)
    refused("the same parameter twice", client.get("/Users?count=1&count=2"), 400, "invalidValue")
    refused("two filters", client.get("/Users?filter=userName%20pr&filter=title%20pr"), 400, "invalidFilter")
    check("unknown parameters are passed over", client.get("/Users?count=1&foo=bar&_=1").status == 200, "")
    check("a URL that is too long", client.get("/Users?filter=" + "a" * 100000).status in (414, 431), "")
    check("parameter names in any case", client.get("/Users?COUNT=1&StartIndex=2").json.get("itemsPerPage") == 1, "")
    check("a filter that is not UTF-8", client.get("/Users?filter=userName%20eq%20%22%ff%22").status in (200, 400), "")
    long = f"{P}." + "n" * 300
    reply = client.post("/Users", user(long))
    check("a long name is taken or refused", reply.status in (201, 400), reply)
    made.append(path_of(reply.json)) if reply.status == 201 else None


SECTIONS = {f.__name__: f for f in (discovery, life, filters, patches, projection, bulk, http, pages)}


def begin():
    global P
    P = "bb" + uuid.uuid4().hex[:8]


if __name__ == "__main__":
    suite.run(SECTIONS, begin)
