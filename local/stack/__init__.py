"""The local stack: emulated AWS, fake networks and the runner, on eight ports, with one app.

with Stack(port=4300, state=".local", parameters={"ArcSize": "5"}) as stack:
    requests.get(stack.values["site"] + "/apps/...")
"""

from local.stack.stack import Stack, StackError

__all__ = ["Stack", "StackError"]
