#!/usr/bin/env python3
"""The same requests to the gateway and to scim2-server, an implementation of the RFCs by others; the answers compared.

    BASE_URL=… TOKEN=… [CA=…] THEIR_URL=http://127.0.0.1:8080/v2 tests/suites/differential.py [SEED [ROUNDS]]

The gateway must be strict (`demo --serve --strict`). Filters are compared by whom they find, PATCH by what becomes of the resource.
The requests follow from the seed. What the two are known to see differently stands in `KNOWN`, each with the section that decides.
"""

import json
import os
import random
import re
import sys

from scimhttp import ENTERPRISE, USER, Client, op, user

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 7643
rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 300
dice = random.Random(seed)
ours = Client(os.environ["BASE_URL"], os.environ["TOKEN"], os.environ.get("CA") or None)
theirs = Client(os.environ["THEIR_URL"], "none")
P = f"df{seed}x{os.getpid()}"

WORDS = ["alpha", "Beta", "gamma ray", "Δelta", "e\"ps", "back\\s", "ALPHA", "zeta"]
TYPES = ["work", "home", "other"]


def pick(*values):
    return dice.choice(values)


def element(name, i):
    value = {"emails": lambda: f"{pick('a', 'b', 'c')}{i}@{pick('example.com', 'example.org')}", "phoneNumbers": lambda: f"+1-555-{dice.randint(100, 999)}"}.get(name, lambda: dice.choice(WORDS))()
    made = {"value": value}
    if dice.random() < 0.7:
        made["type"] = dice.choice(TYPES)
    if dice.random() < 0.3:
        made["display"] = dice.choice(WORDS)
    return made


def somebody(i):
    body = user(f"{P}.u{i}", active=dice.random() < 0.7)
    for name in ("title", "nickName", "displayName", "userType", "locale"):
        if dice.random() < 0.6:
            body[name] = dice.choice(WORDS)
    if dice.random() < 0.7:
        body["name"] = {part: dice.choice(WORDS) for part in ("givenName", "familyName", "middleName") if dice.random() < 0.6} or {"givenName": "only"}
    for name in ("emails", "roles", "entitlements"):
        if dice.random() < 0.6:
            rows = [element(name, i * 10 + j) for j in range(dice.randint(1, 3))]
            if dice.random() < 0.5:
                dice.choice(rows)["primary"] = True
            body[name] = list({json.dumps(row["value"]): row for row in rows}.values())
    if dice.random() < 0.5:
        body["externalId"] = f"{pick('Ext', 'ext')}-{i}"
    if dice.random() < 0.5:
        body["schemas"] = [USER, ENTERPRISE]
        body[ENTERPRISE] = {part: dice.choice(WORDS) for part in ("department", "costCenter", "division") if dice.random() < 0.7} or {"division": "d"}
    return body


# ------------------------------------------------------------------------------------------------------------ filters

STRINGS = ["title", "nickName", "displayName", "userType", "name.givenName", "name.familyName", "locale", "userName", "externalId", f"{ENTERPRISE}:department",
           f"{ENTERPRISE}:costCenter", f"{USER}:title", "emails.value", "emails.type", "roles.value", "entitlements.display", "TITLE", "Name.GivenName"]
LISTS = ["emails", "roles", "entitlements"]


def literal():
    word = dice.choice(WORDS + ["a", "work", "example", "eta", "", f"{P}.u1", "Ext-1", "ext-1"])
    word = pick(word, word.upper(), word[: len(word) // 2], word[1:])
    return json.dumps(word, ensure_ascii=dice.random() < 0.2)


def compare(name):
    operator = pick("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "EQ", "pr")
    return f"{name} pr" if operator == "pr" else f"{name} {operator} {literal()}"


def a_filter(depth=0):
    roll = dice.random()
    if depth < 3 and roll < 0.35:
        return f"{a_filter(depth + 1)} {pick('and', 'or', 'AND')} {a_filter(depth + 1)}"
    if depth < 3 and roll < 0.45:
        return f"({a_filter(depth + 1)})"
    if depth < 3 and roll < 0.55:
        return f"not ({a_filter(depth + 1)})"
    if roll < 0.65:
        return f"active {pick('eq', 'ne')} {pick('true', 'false')}"
    if roll < 0.7:
        return f"{dice.choice(LISTS + ['name', ENTERPRISE + ':department', 'meta'])} pr"
    if roll < 0.8:
        inner = " and ".join(compare(pick("value", "type", "display")) for _ in range(dice.randint(1, 2)))
        if dice.random() < 0.2:
            inner = f"not ({inner})"
        return f"{dice.choice(LISTS)}[{inner}]"
    return compare(dice.choice(STRINGS))


def found(client, text):
    reply = client.query("/Users", filter=text, count=1000)
    if reply.status != 200:
        return f"{reply.status} {reply.kind}"
    return sorted(row["userName"] for row in reply.json.get("Resources", []))


# -------------------------------------------------------------------------------------------------------------- PATCH

def an_operation():
    kind = pick("add", "replace", "remove")
    roll = dice.random()
    if roll < 0.25:
        path, value = dice.choice(["title", "nickName", "displayName", "userType", "TITLE", f"{USER}:nickName", f"{ENTERPRISE}:department", f"{ENTERPRISE}:division"]), dice.choice(WORDS)
    elif roll < 0.35:
        path, value = dice.choice(["name.givenName", "name.familyName", "Name.middleName"]), dice.choice(WORDS)
    elif roll < 0.45:
        path, value = "name", {part: dice.choice(WORDS) for part in dice.sample(["givenName", "familyName", "middleName"], 2)}
    elif roll < 0.6:
        path = dice.choice(["roles", "entitlements"])
        value = [element(path, dice.randint(0, 99)) for _ in range(dice.randint(1, 2))]
    elif roll < 0.75:
        name = dice.choice(["roles", "entitlements"])
        path = f"{name}[{compare(pick('value', 'type'))}]"
        value = element(name, 1)
        if dice.random() < 0.6:
            path, value = path + pick(".display", ".type", ".value"), dice.choice(WORDS)
    elif roll < 0.8:
        path, value = "active", pick(True, False)
    elif roll < 0.85:
        path, value = pick("nosuch", "name.nosuch", "id", "meta.created", "roles[", "userName[value eq \"a\"]", "roles[nosuch eq \"a\"]"), "x"
    elif roll < 0.9:
        path, value = ENTERPRISE, {"division": dice.choice(WORDS)}
    else:
        value = {"title": dice.choice(WORDS), "name": {"middleName": dice.choice(WORDS)}}
        if dice.random() < 0.5:
            value[ENTERPRISE] = {"costCenter": dice.choice(WORDS)}
        return op(pick("add", "replace"), None, value)
    return op("remove", path) if kind == "remove" else op(kind, path, value)


def plain(resource):
    """A resource without what each server chooses for itself."""
    def tidy(value):
        if isinstance(value, dict):
            return {k: tidy(v) for k, v in sorted(value.items()) if not (k == "primary" and v is False) and v is not None}
        if isinstance(value, list):
            return sorted((tidy(v) for v in value), key=lambda v: json.dumps(v, sort_keys=True))
        return value
    return tidy({k: v for k, v in resource.items() if k not in ("id", "meta", "groups")})


# What is seen differently: kind of request, condition on (text, ours, theirs), and why ours stands.
def both_refuse(a, b):
    return a[0][:3] == b[0][:3] == "400" and a[1] == b[1]


def says_less(lists):
    """Whether one list has more elements than the other only because those say nothing that another element does not."""
    ours, theirs = lists
    extra = [e for e in theirs if e not in ours]
    return extra and all(any(e.items() <= other.items() for other in ours) for e in extra)


def differs_by_lesser_elements(a, b):
    names = [n for n in set(a) | set(b) if a.get(n) != b.get(n)]
    return all(isinstance(a.get(n), list) and isinstance(b.get(n), list) and says_less((a[n], b[n])) for n in names)


MULTI_VALUED_NE = re.compile(r'\b((?:emails|roles|entitlements)\.\w+) ne ("(?:[^"\\]|\\.)*")')


def means_ne_otherwise(text, a, b):
    """Whether the two agree once `ne` on a multi-valued attribute says that no value is equal."""
    return bool(MULTI_VALUED_NE.search(text)) and found(ours, MULTI_VALUED_NE.sub(r"not (\1 eq \2)", text)) == b


KNOWN = [
    ("filter", means_ne_otherwise, "`ne` matches if any of the values differs, not only if all do (RFC 7644 §3.4.2.2)"),
    ("patch", lambda text, a, b: both_refuse(a, b) and text.split("\n")[0].count('"op"') > 1, "of several faults any may be told first (RFC 7644 §3.5.2)"),
    ("patch", lambda text, a, b: both_refuse(a, b) and "userName[" in text, "a value filter on a single value: the path is at fault, not the filter (RFC 7644 §3.12, table 9)"),
    ("patch", lambda text, a, b: a[0] == b[0] == "ok" and differs_by_lesser_elements(a[1], b[1]),
     "an added element that says no more than one that is there is there already (RFC 7644 §3.5.2.1)"),
    ("patch", lambda text, a, b: a[0] == b[0] == "ok" and re.search(r'"op": "replace", "path": "\w+\[[^.]*\]"', text),
     "a replaced element keeps nothing of the old one: matching values SHALL be replaced (RFC 7644 §3.5.2.3)"),
]


def known(kind, text, a, b):
    return next((why for of, test, why in KNOWN if of == kind and test(text, a, b)), None)


def main():
    people = []
    tally, bad, excused = 0, [], {}

    def judge(kind, text, a, b):
        nonlocal tally
        tally += 1
        if a != b:
            why = known(kind, text, a, b)
            if why:
                excused[why] = excused.get(why, 0) + 1
            else:
                bad.append(f"{kind} {text}\n    ours   {json.dumps(a, ensure_ascii=False)[:600]}\n    theirs {json.dumps(b, ensure_ascii=False)[:600]}")

    try:
        for i in range(25):
            body = somebody(i)
            pair = [client.post("/Users", body) for client in (ours, theirs)]
            if [reply.status for reply in pair] != [201, 201]:
                bad.append(f"create {body}: {pair}")
                for client, reply in zip((ours, theirs), pair):
                    if reply.status == 201:
                        client.delete("/Users/" + reply.json["id"])
                continue
            people.append([reply.json["id"] for reply in pair])
            judge("create", json.dumps(body, ensure_ascii=False), *(plain(reply.json) for reply in pair))
        for _ in range(rounds):
            text = f'userName sw "{P}" and ({a_filter()})'
            judge("filter", text, found(ours, text), found(theirs, text))
        for _ in range(rounds):
            ids = dice.choice(people)
            operations = [an_operation() for _ in range(pick(1, 1, 1, 2, 3))]
            before = plain(theirs.get("/Users/" + ids[1]).json)
            results = []
            for client, one in zip((ours, theirs), ids):
                reply = client.patch("/Users/" + one, *operations)
                after = plain(client.get("/Users/" + one).json)
                results.append(["ok" if reply.status < 300 else f"{reply.status} {reply.kind}", after])
            shown = json.dumps(operations, ensure_ascii=False) + "\n    before " + json.dumps(before, ensure_ascii=False)
            judge("patch", shown, *results)
            if results[0][1] != results[1][1]:
                # From here on the two must start from the same again.
                again = {k: v for k, v in theirs.get("/Users/" + ids[1]).json.items() if k not in ("id", "meta")}
                reply = ours.put("/Users/" + ids[0], again)
                if reply.status != 200 or plain(reply.json) != plain(again):
                    bad.append(f"put {again}: {reply!r}")
                    people.remove(ids)
                    ours.delete("/Users/" + ids[0])
    finally:
        for ids in people:
            for client, one in zip((ours, theirs), ids):
                client.delete("/Users/" + one)
    for line in bad:
        print("FAIL", line)
    for why, times in sorted(excused.items()):
        print(f"known, {times} times: {why}")
    print(f"differential, seed {seed}: {tally} compared, {len(bad)} differ")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
