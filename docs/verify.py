#!/usr/bin/env python3
"""Checks a dossier of Peildatum (docs/dossier.md) by other means than Peildatum: python3 verify.py DOSSIER KEY

KEY is the verifier key of the ledger, from whoever keeps the ledger and not from whoever gave the dossier.
Exit code 0: all is as it should be; 1: it is not, and a sentence says what and where; 2: the file or the key
cannot be read; 64: wrong use. It needs Python 3.9 or later and nothing else.
"""
import base64, hashlib, itertools, json, re, sys, zipfile, zlib
from collections import Counter, defaultdict

MEMBERS = "dossier.json checkpoint statement.json explanation.json entries.jsonl proofs.txt page.html seal".split()
LIMIT = 2 * 10**9  # The bytes of a member: what is larger is no dossier.
EFFECT = dict(carry_over=1, quota=1, revision=1, exchange=1, boundary=1, housed=-1, not_counted=0)


class Wrong(Exception):
    """What is wrong in the dossier, and where."""


class Unreadable(Exception):
    """Why the file or the key cannot be read."""


def ensure(holds, sentence):
    """Refuses the dossier with this sentence, unless the condition holds."""
    if not holds:
        raise Wrong(sentence)


# Ed25519 as in RFC 8032, with points as (x, y): slow, and short enough to be read.
P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(p, q):
    """The sum of two points."""
    (x, y), (v, w) = p, q
    t = D * x * y * v * w % P
    return (x * w + y * v) * pow(1 + t, -1, P) % P, (y * w + x * v) * pow(1 - t, -1, P) % P


def times(number, p):
    """A point added to itself so many times."""
    q = (0, 1)
    while number:
        q, p, number = add(q, p) if number & 1 else q, add(p, p), number >> 1
    return q


def point(data):
    """The point for which 32 bytes stand."""
    y, odd = int.from_bytes(data, "little") & (1 << 255) - 1, data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    if y >= P or x * x % P != square or (x == 0 and odd):
        raise ValueError("no point of the curve")
    return (x if x & 1 == odd else P - x), y


def is_signed(text, public, signature):
    """Whether the signature of a text is by this public key, which must not be one that fits several texts."""
    a, r, s = point(public), point(signature[:32]), int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + text).digest(), "little") % ORDER
    base = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    return s < ORDER and times(8, a) != (0, 1) and times(s, base) == add(r, times(k, a))


def read_key(text):
    """Name, id and public key out of NAME+ID+BASE64 (C2SP signed-note)."""
    try:
        name, number, data = text.split("+", 2)
        data = base64.b64decode(data, validate=True)
        key_id = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    except ValueError:
        raise Unreadable("the key does not have the form NAME+ID+BASE64") from None
    if len(data) != 33 or data[0] != 1 or key_id.hex() != number:
        raise Unreadable("the key is no Ed25519 key of a log (type 1), or a part of it was changed")
    return name, key_id, data[1:]


def signed_lines(note, member, name, key_id, public):
    """The lines of a note that the key has signed. Signatures of others mean nothing here."""
    text, _, signatures = note.partition("\n\n")
    ensure(re.fullmatch(r"(— \S+ \S+\n)+", signatures), f"{member} is no signed note")
    by_name = [line.split(" ")[2] for line in signatures.split("\n")[:-1] if line.split(" ")[1] == name]
    own = [it[4:] for it in (base64.b64decode(it, validate=True) for it in by_name) if it[:4] == key_id]
    ensure(own, f"{member} has no signature of the key")
    ensure(all(is_signed(f"{text}\n".encode(), public, it) for it in own), f"{member} has a wrong signature")
    return text.split("\n")


def root_above(line, index, size, path):
    """The root to which a proof leads from an entry (RFC 9162, 2.1.3.2), or None where it leads to none."""
    at, last, found = index, size - 1, hashlib.sha256(b"\0" + line).digest()
    for it in path:
        if last == 0 or len(it) != 32:
            return None
        is_right = at & 1 or at == last
        found = hashlib.sha256(b"\1" + (it + found if is_right else found + it)).digest()
        while is_right and at and not at & 1:
            at, last = at >> 1, last >> 1
        at, last = at >> 1, last >> 1
    return found if last == 0 else None


def unique(pairs):
    """An object of JSON, in which no name stands twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in an object")
    return found


def no_number(text):
    """Refuses NaN and the infinities."""
    raise ValueError(f"{text} is no number")


JSON = json.JSONDecoder(object_pairs_hook=unique, parse_constant=no_number)


def chunks(archive, name):
    """The bytes of a member, piece by piece: what unpacks to too much is refused."""
    left = LIMIT
    with archive.open(name) as member:
        while chunk := member.read(1 << 20):
            left -= len(chunk)
            ensure(left >= 0, f"{name} has more than 2 GB")
            yield chunk


def lines(archive, name):
    """The lines of a member, one after another: there can be millions."""
    rest = b""
    for chunk in chunks(archive, name):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    ensure(not rest, f"{name} ends in the middle of a line")


def entries(archive, size, root):
    """Every entry of the dossier, once it is proven that it stands in the log at its position."""
    before, both = -1, itertools.zip_longest(lines(archive, "entries.jsonl"), lines(archive, "proofs.txt"))
    for number, (line, proof) in enumerate(both, 1):
        at = f"line {number} of entries.jsonl"
        ensure(line is not None and proof is not None, f"there is not one proof for each entry: see {at}")
        entry = JSON.decode(line.decode())
        position, path = entry["position"], [base64.b64decode(it, validate=True) for it in proof.split()]
        ensure(before < position < size, f"{at}: position {position} is out of order in a log of {size}")
        proven = root_above(line, position, size, path) == root
        ensure(proven, f"{at} is not proven: the log holds something else at position {position}")
        before = position
        yield entry


def add_up(it, explanation):
    """Adds up the lines of the statement, the steps of the explanation, and the entries behind each step."""
    carried, by_kind, steps = it["carriedOver"], it["realisedByKind"], explanation["steps"]
    ensure(carried["used"] + it["quota"] + it["revision"] + it["exchange"] + it["boundary"] == it["due"],
           "statement.json: the lines do not add up to what is due")
    ensure(sum(by_kind.values()) == it["realised"], "statement.json: the kinds are not what was realised")
    ensure(it["due"] - it["realised"] == it["remaining"], "statement.json: due less realised is not what remains")
    ensure(it["surplus"] == max(0, -it["remaining"]), "statement.json: the surplus is not what remains below zero")
    ensure(explanation["standingSince"] == 0, "explanation.json does not begin with a standing of 0")
    ensure(sum(step["change"] for step in steps) == explanation["standing"] == it["remaining"],
           "explanation.json: the steps do not add up to the standing, or it is not what remains")
    persons, positions, stated, before = Counter(), defaultdict(set), Counter(), 0
    for row in explanation["behind"]:
        persons[row["step"]] += row["persons"] or 0
        positions[row["step"]].add(row["position"])
    for number, step in enumerate(steps):
        at, line = f"explanation.json: step {number}", step["line"]
        by_entries = 0 if line in ("carry_over", "boundary") else step["persons"] - step["byBoundary"]
        ensure(step["change"] == EFFECT[line] * step["persons"], f"{at} changes by another number than its persons")
        ensure(persons[number] == by_entries, f"{at} has {by_entries} persons and {persons[number]} in its rows")
        ensure(len(positions[number]) == step["entries"], f"{at} does not have {step['entries']} entries behind it")
        stated[line if step["halfYear"] == it["halfYear"] else "before", step["kind"]] += step["persons"]
        before += step["change"] if step["halfYear"] < it["halfYear"] else 0
    for kind, number in by_kind.items():
        ensure(stated["housed", kind] == number, f"{kind} is not the same in statement.json and explanation.json")
    return stated, before


def same_lines(it, stated, before):
    """Holds the lines of the statement against the steps, where no boundary change moves numbers between them."""
    for line in ("quota", "revision", "exchange"):
        ensure(stated[line, None] == it[line], f"{line} is not the same in statement.json and explanation.json")
    ensure(before + stated["carry_over", None] == it["carriedOver"]["used"],
           "what was carried over is not what the steps of earlier half-years add up to")


def agree(entry, row, step):
    """Holds a row of the explanation against the entry that it names."""
    at, data = f"explanation.json: the row of position {entry['position']}", entry["data"]
    for name in ("type", "source", "deliveredBy", "delivery", "recordedAt"):
        ensure(row[name] == entry[name], f"{at} says another {name} than the entry")
    if row["persons"] is None:
        return  # A fact that moves by all that went before it, or what a boundary change brought.
    if step["line"] in ("housed", "not_counted"):
        ensure(row["rule"]["counts"] == (step["line"] == "housed"), f"{at} has another rule than its step")
    if entry["type"] == "placement-recorded":
        said = row["municipality"], row["validOn"], row["persons"], step["kind"]
        ensure(said == (data["municipality"], data["countsFrom"], data["persons"], data["kind"]),
               f"{at} says something else than the entry")
    elif entry["type"] in ("quota-allocated", "carry-over-recorded"):
        ensure(row["municipality"] in data["persons"], f"{at} names a municipality that is not in the entry")
    elif entry["type"] in ("placement-withdrawn", "placement-transferred"):
        ensure(abs(row["persons"]) in (0, data["housed"]["persons"]), f"{at} moves other persons than the entry")


def figures(page, statement, explanation):
    """Holds every figure on the page against the statement and the explanation. Gives how many there are."""
    ensure(not re.search(r"<script|<iframe|<link|http-equiv| style=| on\w+=", page), "page.html does more than show")
    found = re.findall(r'<data id="([^"]*)" value="([^"]*)">([^<]*)</data>', page)
    ensure(len(found) == page.count("<data") == len({it[0] for it in found}), "page.html: a figure has another form")
    known, standing = {"explanation.standing": explanation["standing"]}, explanation["standingSince"]
    for number, step in enumerate(explanation["steps"]):
        standing += step["change"]
        known.update({f"step.{number}.{name}": step[name] for name in ("change", "persons", "entries")})
        known[f"step.{number}.standing"] = standing
    for name, value, shown in found:
        number, (first, *path) = known.get(name), name.split(".")
        if first == "statement":
            number = statement
            for part in path:
                number = number.get(part)
        ensure(number is not None and value == str(number) and shown == f"{number:,}".replace(",", "."),
               f"page.html: {name} is {number}, and the page says {shown}")
    needed = ["statement.due", "statement.realised", "statement.remaining"]
    missing = {*needed, *(it for it in known if it.endswith(".change"))} - {it[0] for it in found}
    ensure(not missing, f"page.html lacks {', '.join(sorted(missing))}")
    return len(found)


def verify(archive, key):
    """Checks everything, and gives what to say of it."""
    ensure(archive.namelist() == MEMBERS, f"the members are not {', '.join(MEMBERS)}")
    plain = all(it.compress_type in (0, 8) and not it.flag_bits & 1 for it in archive.infolist())
    alone = not archive.comment and archive.infolist()[0].header_offset == 0
    ensure(plain and alone, "the archive holds something beside its members")
    text = {it: b"".join(chunks(archive, it)).decode() for it in MEMBERS if it not in ("entries.jsonl", "proofs.txt")}
    about, it, explanation = (JSON.decode(text[f"{name}.json"]) for name in ("dossier", "statement", "explanation"))
    ensure(about["format"] == "peildatum dossier 1", "dossier.json is of another format")
    origin, size, root = signed_lines(text["checkpoint"], "checkpoint", *key)[:3]
    ensure(origin == key[0], f"checkpoint is of the log {origin}, and the key is of {key[0]}")
    head = {"size": int(size), "root": root}
    ensure(it["checkpoint"] == explanation["checkpoint"] == head, "statement or explanation is of another log")
    ensure(about["size"] == it["knownAt"]["size"] == explanation["knownAt"]["size"] == int(size), "the sizes differ")
    ensure(about["area"] == it["area"] == explanation["area"], "the parts are about different areas")
    ensure(about["on"] == it["referenceDate"] == explanation["on"], "the parts are about different dates")
    for name in ("generated", "contested", "knownAt"):
        ensure(it[name] == explanation[name], f"{name} is not the same in statement.json and explanation.json")
    ensure(about["reading"] == it["reading"], "reading is not the same in dossier.json and statement.json")
    stated, rows, count, boundaries, unsaid = add_up(it, explanation), defaultdict(list), 0, False, []
    for row in explanation["behind"]:
        rows[row["position"]].append(row)
    for entry in entries(archive, int(size), base64.b64decode(root, validate=True)):
        count, found = count + 1, rows.pop(entry["position"], [])
        for row in found:
            agree(entry, row, explanation["steps"][row["step"]])
        boundaries |= entry["type"] == "boundary-changed"
        if entry["type"] == "placement-recorded":
            ensure(len(found) < 2, f"explanation.json tells twice of the placement at position {entry['position']}")
            own = entry["data"]["municipality"] == it["area"]["code"]
            if own and not found and entry["data"]["countsFrom"] < about["on"]:
                unsaid.append(entry["position"])
    ensure(not rows, f"the entry at position {min(rows, default=0)} is behind a step and not in the dossier")
    ensure(count == about["entries"], f"dossier.json says {about['entries']} entries, and there are {count}")
    ensure(boundaries or not unsaid, f"explanation.json leaves out the placement at position {min(unsaid, default=0)}")
    if not boundaries:
        same_lines(it, *stated)
    shown = figures(text["page.html"], it, explanation)
    seal = signed_lines(text["seal"], "seal", *key)
    ensure(seal[:2] == [about["format"], origin] and len(seal) == len(MEMBERS) + 1, "seal is of something else")
    for name, line in zip(MEMBERS, seal[2:]):
        sha256 = hashlib.sha256()
        for chunk in chunks(archive, name):
            sha256.update(chunk)
        ensure(line == f"{sha256.hexdigest()}  {name}", f"{name} is not as the ledger sealed it")
    return (f"{it['area']['name']} ({it['area']['code']}) on {it['referenceDate']}: {it['remaining']} remaining\n"
            f"{count} entries, each proven to stand in the log of {origin} with {size} entries\n"
            f"{len(explanation['steps'])} steps and {shown} figures on the page agree, as the ledger sealed them\n"
            "taken as stated: fixed carry-overs, shares of splits, which entries there are")


def main(arguments):
    """Gives the exit code, and what was checked or what is wrong."""
    if len(arguments) != 2:
        return 64, "write: python3 verify.py DOSSIER KEY"
    try:
        key = read_key(arguments[1])
        with zipfile.ZipFile(arguments[0]) as archive:
            return 0, verify(archive, key)
    except Wrong as wrong:
        return 1, wrong
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, Unreadable) as fault:
        return 2, f"{arguments[0]} cannot be read: {fault}" if not isinstance(fault, Unreadable) else fault
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as fault:
        return 1, f"a part of it has another form than it should: {type(fault).__name__}: {fault}"


if __name__ == "__main__":
    code, said = main(sys.argv[1:])
    print(said if code == 0 else f"verify: {said}", file=sys.stderr if code else sys.stdout)
    sys.exit(code)
