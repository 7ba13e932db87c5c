"""Texts that mean something to somebody careless: to SQL, a shell, a header, a path, a template."""

INJECTIONS = (
    "'; DROP TABLE creatives; --",
    '" OR 1=1 --',
    "$1 %s %(id)s :id ?",
    "{{7*7}} ${7*7} #{7*7} <%= 7 %>",
    "<script>alert(1)</script>",
    "../../../../etc/passwd",
    "%2e%2e%2f%00",
    "$(touch /tmp/x) `id` | cat; &",
    "\\'); SELECT pg_sleep(9); --",
    "x%0d%0aSet-Cookie: a=b",
    "null",
    "\u200ftxt.exe\ufeff.\u200d",
    '{"$gt": ""}',
)
