"""The task list, for pyinfra."""

from pyinfra.operations import files, server

files.directory(name="make a directory", path="/var/lib/sealpy/tasks")
for number in range(3):
    files.put(
        name=f"write file {number}", src=f"/tmp/sealpy-bench-tasks/{number}", dest=f"/var/lib/sealpy/tasks/{number}"
    )
for number in range(3):
    server.shell(name=f"command {number}", commands=[f"uname -r > /var/lib/sealpy/tasks/command-{number}"])
server.shell(name="is there", commands=["test -f /var/lib/sealpy/tasks/command-2"])
