"""A bare HTTP client for the suites: it sends exactly what it is told to, and sees exactly what comes back."""

import http.client
import json
import ssl
import urllib.parse

SCIM_JSON = "application/scim+json"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
MESSAGES = "urn:ietf:params:scim:api:messages:2.0:"


class Reply:
    def __init__(self, status, headers, raw):
        self.status, self.headers, self.raw = status, headers, raw
        try:
            self.json = json.loads(raw) if raw else None
        except ValueError:
            self.json = None

    def header(self, name):
        return self.headers.get(name.lower())

    @property
    def kind(self):
        """`scimType`, if this is an error that has one."""
        return self.json.get("scimType") if isinstance(self.json, dict) else None

    def __repr__(self):
        return f"{self.status} {self.raw[:400].decode('utf-8', 'replace')}"


class Client:
    def __init__(self, base_url, token, ca=None):
        url = urllib.parse.urlsplit(base_url)
        self.secure, self.host, self.port, self.base = url.scheme == "https", url.hostname, url.port, url.path.rstrip("/")
        self.base_url, self.token, self.connection = base_url.rstrip("/"), token, None
        self.context = ssl.create_default_context(cafile=ca) if self.secure else None

    def connect(self):
        if self.secure:
            return http.client.HTTPSConnection(self.host, self.port, context=self.context, timeout=60)
        return http.client.HTTPConnection(self.host, self.port, timeout=60)

    def send(self, method, path, body=None, headers=None, absolute=False):
        """`body` is bytes, or anything JSON. A header of None is left out."""
        sent = {"Accept": SCIM_JSON, "Authorization": f"Bearer {self.token}", "User-Agent": "scim-blackbox"}
        if body is not None:
            sent["Content-Type"] = SCIM_JSON
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent.update(headers or {})
        sent = {name: value for name, value in sent.items() if value is not None}
        path = path if absolute else self.base + path
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = self.connect()
            try:
                self.connection.request(method, path, body, sent)
                answer = self.connection.getresponse()
                raw = answer.read()
                if answer.will_close:
                    self.close()
                return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, raw)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.close()
                if attempt == 2:
                    raise

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def get(self, path, **headers):
        return self.send("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def post(self, path, body, headers=None):
        return self.send("POST", path, body, headers)

    def put(self, path, body, headers=None):
        return self.send("PUT", path, body, headers)

    def patch(self, path, *operations, headers=None):
        body = {"schemas": [MESSAGES + "PatchOp"], "Operations": list(operations)}
        return self.send("PATCH", path, body, headers)

    def delete(self, path, headers=None):
        return self.send("DELETE", path, headers=headers)

    def query(self, path, **parameters):
        return self.get(path + "?" + urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote))


def op(kind, path=None, value=None, **more):
    operation = {"op": kind, **more}
    if path is not None:
        operation["path"] = path
    if value is not None:
        operation["value"] = value
    return operation


def user(login, /, **attributes):
    """A body that lists the schemas of what it has (RFC 7643 section 3.1)."""
    return {"schemas": [USER, *([ENTERPRISE] if ENTERPRISE in attributes else [])], "userName": login, **attributes}
