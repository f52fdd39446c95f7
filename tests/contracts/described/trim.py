#!/usr/bin/env python3
"""Makes github.json and aws-identity-store.json anew from what their owners publish. README.md says where that is had.

    trim.py github api.github.com.json > github.json
    trim.py aws service-2.json.gz > aws-identity-store.json

Only the operations that the mappings use stay, and of the schemas only what a check needs: no prose, no examples.
"""
import gzip
import json
import re
import sys

GITHUB = """
GET /user
GET /users/{username}
GET /orgs/{org}/members
GET /orgs/{org}/invitations
GET PUT DELETE /orgs/{org}/memberships/{username}
GET POST /orgs/{org}/teams
GET PATCH DELETE /orgs/{org}/teams/{team_slug}
GET /orgs/{org}/teams/{team_slug}/members
PUT DELETE /orgs/{org}/teams/{team_slug}/memberships/{username}
"""
AWS = """
ListUsers ListGroups ListGroupMemberships ListGroupMembershipsForMember GetUserId GetGroupId DescribeUser DescribeGroup
CreateUser CreateGroup UpdateUser UpdateGroup DeleteUser DeleteGroup CreateGroupMembership GetGroupMembershipId
DeleteGroupMembership
"""
KEPT = "type nullable enum required minimum maximum minLength maxLength pattern minItems maxItems".split()


def github(document):
    schemas = {}

    def named(node):
        while "$ref" in node:
            place = document
            for part in node["$ref"][2:].split("/"):
                place = place[part]
            node = place
        return node

    def trimmed(schema):
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            if name not in schemas:
                schemas[name] = None
                schemas[name] = trimmed(named(schema))
            return {"$ref": name}
        result = {key: schema[key] for key in KEPT if key in schema}
        if "properties" in schema:
            result["properties"] = {name: trimmed(inner) for name, inner in schema["properties"].items()}
        if "items" in schema:
            result["items"] = trimmed(schema["items"])
        for key in ("oneOf", "anyOf", "allOf"):
            if key in schema:
                result[key] = [trimmed(inner) for inner in schema[key]]
        return result

    def body(content):
        return trimmed(content["application/json"]["schema"]) if "application/json" in content else None

    operations = {}
    for line in GITHUB.split("\n"):
        *verbs, path = line.split() or [""]
        for verb in verbs:
            source = document["paths"][path][verb.lower()]
            query = {}
            for parameter in map(named, source.get("parameters", [])):
                if parameter["in"] != "query":
                    continue
                query[parameter["name"]] = trimmed(parameter["schema"])
                # The largest page is in the prose alone.
                if most := re.search(r"max (\d+)", parameter.get("description", "")):
                    query[parameter["name"]]["maximum"] = int(most[1])
            replies = {status: body(named(reply).get("content", {})) for status, reply in source["responses"].items()}
            operation = {"query": query, "replies": replies}
            if "requestBody" in source:
                operation["body"] = body(source["requestBody"]["content"])
            operations[f"{verb} {path}"] = operation
    return {
        "source": f"api.github.com.json of the npm package @octokit/openapi {document['info']['version']}, MIT",
        "operations": operations,
        "schemas": schemas,
    }


def aws(document):
    schemas = {}

    def trimmed(name):
        if name not in schemas:
            schemas[name] = None
            schemas[name] = schema(document["shapes"][name])
        return {"$ref": name}

    def schema(shape):
        least, most = shape.get("min"), shape.get("max")
        bounded = lambda low, high: {key: value for key, value in ((low, least), (high, most)) if value is not None}
        if shape.get("document"):
            return {}
        match shape["type"]:
            case "structure":
                members = {name: trimmed(member["shape"]) for name, member in shape.get("members", {}).items()}
                result = {"type": "object", "properties": members}
                if shape.get("required"):
                    result["required"] = shape["required"]
                if shape.get("union"):
                    result["minProperties"] = result["maxProperties"] = 1
                return result
            case "list":
                return {"type": "array", "items": trimmed(shape["member"]["shape"]), **bounded("minItems", "maxItems")}
            case "map":
                return {"type": "object"}
            case "string":
                result = {"type": "string", **bounded("minLength", "maxLength")}
                if "enum" in shape:
                    result["enum"] = shape["enum"]
                if "pattern" in shape:
                    result["pattern"] = f"^(?:{shape['pattern']})$"
                return result
            case "timestamp":
                return {"type": "number"}
            case kind:
                return {"type": kind, **bounded("minimum", "maximum")}

    operations = {}
    for name in AWS.split():
        source = document["operations"][name]
        operations[name] = {
            "body": trimmed(source["input"]["shape"]),
            "replies": {"200": trimmed(source["output"]["shape"])},
            "errors": sorted(error["shape"] for error in source["errors"]),
        }
        for error in source["errors"]:
            trimmed(error["shape"])
    metadata = document["metadata"]
    return {
        "source": f"botocore data/identitystore/{metadata['apiVersion']}/service-2.json, Apache-2.0",
        "target": metadata["targetPrefix"],
        "json": metadata["jsonVersion"],
        "operations": operations,
        "schemas": schemas,
    }


if __name__ == "__main__":
    kind, path = sys.argv[1:]
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as file:
        description = {"github": github, "aws": aws}[kind](json.load(file))
    # One line for each operation and schema: a new version can be read as a diff.
    one_line = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    lines = []
    for key, value in description.items():
        if isinstance(value, dict):
            rows = ",\n".join(f"    {one_line(name)}: {one_line(inner)}" for name, inner in value.items())
            lines.append(f"  {one_line(key)}: {{\n{rows}\n  }}")
        else:
            lines.append(f"  {one_line(key)}: {one_line(value)}")
    print("{\n" + ",\n".join(lines) + "\n}")
