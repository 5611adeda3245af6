"""The commands of a build that a machine without AWS and internet lacks: `build_tools.py NAME ARGUMENTS…`.

Each does what the buildspecs and scripts of this project ask of it, as the real one would, and refuses every option that it does not
know: what a build prints must never be a guess. Nothing but loopback is ever reached.
"""

import gzip
import hashlib
import http.client
import io
import json
import os
import stat
import sys
import tarfile
import threading
import time
import urllib.parse
import zipfile

RUST = "https://sh.rustup.rs"
DYNAMODB_LOCAL = "https://d1ni2b6xgvw0s0.cloudfront.net/v2.x/dynamodb_local_latest.tar.gz"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Refused(Exception):
    """What a command says before it ends, and its exit code."""

    def __init__(self, message, code=2):
        super().__init__(message)
        self.code = code


def options(arguments, flags, valued):
    """The options and the other words. `flags` and `valued` give each spelling its name; flags of one letter may stand together."""
    found, words, rest = {}, [], list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "-" or not word.startswith("-"):
            words.append(word)
        elif word == "--":
            words += rest
            break
        elif word in valued:
            if not rest:
                raise Refused(f"{word} needs a value")
            found.setdefault(valued[word], []).append(rest.pop(0))
        elif word.partition("=")[0] in valued and word.startswith("--"):
            name, _, value = word.partition("=")
            found.setdefault(valued[name], []).append(value)
        else:
            for part in [word] if word in flags else [f"-{letter}" for letter in word[1:]]:
                if part not in flags:
                    known = " ".join(sorted({*flags, *valued}))
                    raise Refused(f"option {word} is not supported here; supported are {known}")
                found[flags[part]] = True
    return found, words


def dynamodb_local():
    """An archive like AWS's download, with a placeholder for the program that `java` below stands in for; always the same bytes."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, text in [
            ("DynamoDBLocal.jar", b"A placeholder: `java -jar DynamoDBLocal.jar` starts MiniStack's DynamoDB here.\n"),
            ("DynamoDBLocal_lib/README", b"Nothing is needed here.\n"),
        ]:
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))
    return gzip.compress(archive.getvalue(), mtime=0)


def curl(arguments):
    flags = {"--fail": "fail", "-f": "fail", "--silent": "silent", "-s": "silent", "--tlsv1.2": "tls"}
    flags |= {"--show-error": "show", "-S": "show", "--location": "location", "-L": "location"}
    flags |= {"--remote-name": "remote-name", "-O": "remote-name"}
    valued = {"--output": "output", "-o": "output", "--output-dir": "folder", "--proto": "proto"}
    valued |= {"--header": "header", "-H": "header", "--request": "request", "-X": "request"}
    valued |= {"--data": "data", "-d": "data"}
    found, addresses = options(arguments, flags, valued)
    if len(addresses) != 1:
        raise Refused(f"one address is supported, {len(addresses)} are given")
    address = addresses[0]
    status, body = fetched(address, found)
    if found.get("fail") and status >= 400:
        raise Refused(f"the server answered {status}", 22)
    name = found.get("output", [None])[-1]
    if found.get("remote-name"):
        name = urllib.parse.urlsplit(address).path.rpartition("/")[2]
    if name in (None, "-"):
        sys.stdout.buffer.write(body)
    else:
        with open(os.path.join(found.get("folder", [""])[-1], name), "wb") as file:
            file.write(body)


def fetched(address, found):
    if address.rstrip("/") == RUST:
        return 200, b"# Rust is there already: this installer does nothing.\nexit 0\n"
    if address == DYNAMODB_LOCAL:
        return 200, dynamodb_local()
    if address == f"{DYNAMODB_LOCAL}.sha256":
        name = DYNAMODB_LOCAL.rpartition("/")[2]
        return 200, f"{hashlib.sha256(dynamodb_local()).hexdigest()}  {name}\n".encode()
    parts = urllib.parse.urlsplit(address)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK:
        raise Refused(
            f"{address} is not reached from here: a build on this machine gets {RUST}, {DYNAMODB_LOCAL} and loopback, nothing else\n"
            "help: install what the build needs before it, or leave the command out of the project.yaml that is rehearsed",
            6,
        )
    data = "&".join(found["data"]).encode() if "data" in found else None
    headers = dict(header.split(":", 1) for header in found.get("header", []))
    if data is not None:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    method = found.get("request", ["GET" if data is None else "POST"])[-1]
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=60)
    path = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
    try:
        connection.request(method, path, data, {name: value.strip() for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except OSError as fault:
        raise Refused(f"{address}: {fault}", 7) from None


def java(arguments):
    """DynamoDB Local as MiniStack's DynamoDB. It runs in this very process, in the process group of the build that starts it."""
    words = [word for word in arguments if not word.startswith("-D")]
    if words[:2] != ["-jar", "DynamoDBLocal.jar"] or not os.path.isfile("DynamoDBLocal.jar"):
        raise Refused("only `java -jar DynamoDBLocal.jar`, in the folder that the file is in, is supported here")
    port, rest = "8000", words[2:]
    while rest:
        word = rest.pop(0)
        if word == "-port" and rest:
            port = rest.pop(0)
        elif word not in ("-inMemory", "-sharedDb"):
            raise Refused(f"option {word} is not supported here; supported are -inMemory -sharedDb -port PORT")
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": port, "SERVICES": "dynamodb"}
    os.environ |= {"IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0"}
    threading.Thread(target=end_with, args=(os.getpgrp(),), daemon=True).start()
    sys.argv = ["ministack"]
    from ministack.app import main

    main()


def end_with(leader):
    """Ends this process when the leader of its process group is gone: the build, or whoever ran it from a terminal.

    A build that has ended is not gone before it was waited for, and whoever waits may wait for our output's end: it is dead enough.
    """
    while leader != os.getpid():
        try:
            with open(f"/proc/{leader}/stat") as about:
                ended = about.read().rpartition(")")[2].split()[0] in "ZX"
        except OSError:
            ended = True
        if ended:
            os._exit(0)
        time.sleep(0.2)


def jq(arguments):
    """jq's own library behind the options that scripts use; its program sees the environment, as jq's does."""
    import jq as library

    flags = {"--exit-status": "exit", "-e": "exit", "--raw-output": "raw", "-r": "raw"}
    flags |= {"--null-input": "null", "-n": "null", "--compact-output": "compact", "-c": "compact"}
    named, rest = {}, []
    words = iter(arguments)
    for word in words:
        if word == "--arg":
            name, value = next(words, None), next(words, None)
            if value is None:
                raise Refused("--arg needs a name and a value")
            named[name] = value
        else:
            rest.append(word)
    found, words = options(rest, flags, {})
    if not words:
        raise Refused("a program is needed")
    program, files = words[0], words[1:]
    try:
        program = library.compile(program, args=named)
    except ValueError as fault:
        raise Refused(str(fault), 3) from None
    if found.get("null"):
        program = program.input_value(None)
    else:
        program = program.input_text("".join(read(file) for file in files) if files else sys.stdin.read())
    code = 4
    try:
        for last in program:
            code = 1 if last is None or last is False else 0
            if found.get("raw") and isinstance(last, str):
                print(last)
            elif found.get("compact"):
                print(json.dumps(last, ensure_ascii=False, separators=(",", ":")))
            else:
                print(json.dumps(last, ensure_ascii=False, indent=2))
    except ValueError as fault:
        sys.stdout.flush()
        raise Refused(f"error: {fault}", 5) from None
    if found.get("exit") and code:
        sys.stdout.flush()
        sys.exit(code)


def read(file):
    with open(file, encoding="utf-8") as text:
        return text.read()


def sha256sum(arguments):
    found, files = options(arguments, {"--check": "check", "-c": "check"}, {})
    if found.get("check"):
        wrong = 0
        for line in (line for file in files for line in read(file).splitlines() if line):
            expected, name = line[:64], line[66:]
            right = digest(name) == expected
            wrong += not right
            print(f"{name}: {'OK' if right else 'FAILED'}")
        if wrong:
            raise Refused(f"WARNING: {wrong} computed checksum did NOT match", 1)
        return
    for name in files or ["-"]:
        print(f"{digest(name)}  {name}")


def digest(name):
    with sys.stdin.buffer if name == "-" else open(name, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def zip_(arguments):
    flags = {"--junk-paths": "junk", "-j": "junk", "--recurse-paths": "recurse", "-r": "recurse"}
    flags |= {"--quiet": "quiet", "-q": "quiet", "--no-extra": "extra", "-X": "extra"}
    found, words = options(arguments, flags, {})
    if len(words) < 2:
        raise Refused("an archive and at least one file are needed")
    archive, inputs = words[0], words[1:]
    entries = []
    for path in inputs:
        if not os.path.exists(path):
            raise Refused(f"{path} is not there", 12)
        entries.append(path)
        if found.get("recurse") and os.path.isdir(path):
            for folder, folders, files in os.walk(path):
                folders.sort()
                entries += [os.path.join(folder, name) for name in sorted([*folders, *files])]
    # An archive that is there is added to, as zip does; entries of the same name are replaced.
    kept = {}
    if os.path.exists(archive):
        with zipfile.ZipFile(archive) as old:
            kept = {entry.filename: (entry, old.read(entry)) for entry in old.infolist()}
    for path in entries:
        folder = os.path.isdir(path)
        if folder and found.get("junk"):
            continue
        name = os.path.basename(path) if found.get("junk") else os.path.normpath(path).lstrip("/")
        entry = zipfile.ZipInfo.from_file(path, name, strict_timestamps=False)
        entry.compress_type = zipfile.ZIP_STORED if folder else zipfile.ZIP_DEFLATED
        entry.external_attr = os.stat(path).st_mode << 16 | (stat.FILE_ATTRIBUTE_DIRECTORY if folder else 0)
        with open(os.devnull if folder else path, "rb") as file:
            kept[entry.filename] = entry, file.read()
    with zipfile.ZipFile(f"{archive}.part", "w") as new:
        for entry, content in kept.values():
            new.writestr(entry, content)
    os.replace(f"{archive}.part", archive)
    if not found.get("quiet"):
        print(f"  {archive}: {len(kept)} entries")


COMMANDS = {"curl": curl, "java": java, "jq": jq, "sha256sum": sha256sum, "zip": zip_}


def main():
    name = sys.argv[1]
    try:
        COMMANDS[name](sys.argv[2:])
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has had enough; Python would complain once more when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Refused as fault:
        print(f"{name}: {fault}", file=sys.stderr)
        sys.exit(fault.code)


main()
