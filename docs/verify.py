#!/usr/bin/env python3
"""Checks a dossier of Peildatum (docs/dossier.md) by other means than it: python3 verify.py DOSSIER KEY

KEY is the verifier key of the ledger, from whoever keeps the ledger and not from whoever gave the dossier.
Exit code 0: all is as it should be; 1: it is not, and a sentence says what and where; 2: the file or the key
cannot be read; 64: wrong use. It needs Python 3.9 or later and nothing else.
"""
import base64, hashlib, itertools, json, re, sys, zipfile, zlib
from collections import Counter, defaultdict

FORMAT = "peildatum dossier 1"
MEMBERS = ["dossier.json", "checkpoint", "statement.json", "explanation.json", "entries.jsonl", "proofs.txt",
           "page.html", "seal"]
EFFECT = dict(carry_over=1, quota=1, revision=1, exchange=1, boundary=1, housed=-1, not_counted=0)
P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

def ensure(holds, sentence, code=1):
    """Ends with this sentence and exit code, unless the condition holds."""
    if not holds:
        print(f"verify: {sentence}", file=sys.stderr)
        sys.exit(code)

def hold(part, said, expected):
    """Refuses a part in which a field says something else than it must."""
    for name, value in expected.items():
        ensure(said[name] == value, f"{part}: {name} is {said[name]!r}, and it should be {value!r}")

# Ed25519 as in RFC 8032, with points as (x, y): slow, and short enough to be read.
def add(p, q):
    """The sum of two points of the curve."""
    (x, y), (v, w) = p, q
    t = D * x * y * v * w % P
    return (x * w + y * v) * pow(1 + t, -1, P) % P, (y * w + x * v) * pow(1 - t, -1, P) % P

def times(number, p):
    """A point added to itself so many times."""
    even = times(number // 2, add(p, p)) if number else (0, 1)
    return add(even, p) if number % 2 else even

def point(data):
    """The point for which 32 bytes stand."""
    y, odd = int.from_bytes(data, "little") % 2**255, data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    ensure(y < P and x * x % P == square and (x or not odd), "a key or signature is no point of the curve")
    return (x if x % 2 == odd else P - x), y

def is_signed(text, public, signature):
    """Whether this key signed a text. A key of a small group is refused: its signatures fit many texts."""
    a, r, s = point(public), point(signature[:32]), int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + text).digest(), "little") % ORDER
    base = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    return s < ORDER and times(8, a) != (0, 1) and times(s, base) == add(r, times(k, a))

def read_key(text):
    """Name, id and public key out of NAME+ID+BASE64 (C2SP signed-note)."""
    form = re.fullmatch(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})", text)
    ensure(form, "the key does not have the form NAME+ID+BASE64", 2)
    name, data = form[1], base64.b64decode(form[3])
    key_id = hashlib.sha256(name.encode(errors="replace") + b"\n" + data).digest()[:4]
    ensure(data[0] == 1 and key_id.hex() == form[2], "the key is no Ed25519 key of a log, or was changed", 2)
    return name, key_id, data[1:]

def signed_lines(note, member, key):
    """The lines of a note that the key has signed. Signatures of others mean nothing here."""
    text, _, signatures = note.decode().partition("\n\n")
    ensure(re.fullmatch(r"(— \S+ \S+\n)+", signatures), f"{member} is no signed note")
    found = re.findall(r"— (\S+) (\S+)\n", signatures)
    of_name = [base64.b64decode(data, validate=True) for name, data in found if name == key[0]]
    own = [it[4:] for it in of_name if it[:4] == key[1]]
    is_right = own and all(is_signed(f"{text}\n".encode(), key[2], it) for it in own)
    ensure(is_right, f"{member} has no signature of the key, or a wrong one")
    return text.split("\n")

def check_seal(archive, key):
    """Holds every member against the seal, before anything is made of what stands in it."""
    members = archive.infolist()
    ensure([it.filename for it in members] == MEMBERS, f"the members are not {', '.join(MEMBERS)}")
    is_alone = members[0].header_offset == 0 and not archive.comment
    is_plain = all(it.compress_type in (0, 8) and it.file_size < 2 * 10**9 for it in members)
    ensure(is_alone and is_plain, "the archive holds something beside its members, or is packed otherwise")
    seal = signed_lines(archive.open("seal").read(1 << 20), "seal", key)
    ensure(seal[:2] == [FORMAT, key[0]] and len(seal) == len(MEMBERS) + 1, "seal is of something else")
    for name, line in zip(MEMBERS, seal[2:]):
        sha256, member = hashlib.sha256(), archive.open(name)
        while chunk := member.read(1 << 20):
            sha256.update(chunk)
        ensure(line == f"{sha256.hexdigest()}  {name}", f"{name} is not as the ledger sealed it")

def unique(pairs):
    """An object of JSON, in which no name stands twice."""
    ensure(len(dict(pairs)) == len(pairs), "a name stands twice in an object of JSON")
    return dict(pairs)

JSON = json.JSONDecoder(object_pairs_hook=unique, parse_constant=int)  # int() refuses NaN and Infinity.

def root_above(found, index, size, path):
    """The root of a log of this size to which a proof leads from the hash of one entry (RFC 9162, 2.1.3)."""
    ensure((size > 1) == bool(path), "a proof has too few hashes or too many")
    if size == 1:
        return found
    half, (*below, beside) = 1 << (size - 1).bit_length() - 1, path
    if index < half:
        return hashlib.sha256(b"\1" + root_above(found, index, half, below) + beside).digest()
    return hashlib.sha256(b"\1" + beside + root_above(found, index - half, size - half, below)).digest()

def agree(entry, row, step, quotas):
    """Holds a row of the explanation, with its step, against the entry that it names."""
    kind, data, code, persons = entry["type"], entry["data"], row["municipality"], row["persons"]
    told = {name: entry[name] for name in ("type", "source", "deliveredBy", "delivery", "recordedAt")}
    if persons is not None:  # Else it is a fact that moves by all that went before it.
        told["counts"] = {"housed": True, "not_counted": False}.get(step["line"])
        told["municipality"] = code if kind == "counting-rule-set" or repr(code) in str(data) else None
        if kind == "placement-recorded":
            told |= {name: data[name] for name in ("municipality", "kind", "persons")}
            told["validOn"] = data["countsFrom"]
        elif kind in ("placement-withdrawn", "placement-transferred"):
            told["persons"] = data["housed"]["persons"] * ((persons > 0) - (persons < 0))
        elif kind == "quota-exchanged":
            told["persons"] = data["to"]["persons"] * (1 if code == data["to"]["municipality"] else -1)
        elif kind == "quota-allocated":  # It moves the quota from what an earlier one said.
            at, quota = data["halfYear"], data["persons"][code]
            told |= {"halfYear": at, "persons": quota - quotas[at, code]}
            quotas[at, code] = quota
    said = {**step, **row, "counts": row["rule"] and row["rule"]["counts"]}
    hold(f"explanation.json: the row of position {entry['position']}", said, told)

def check_entries(archive, explanation, size, root):
    """Proves every entry, and holds it against the rows that name it. Gives how many there are."""
    steps, rows, quotas = dict(enumerate(explanation["steps"])), defaultdict(list), Counter()
    before, number = -1, 0
    for row in explanation["behind"]:
        rows[row["position"]].append(row)
    lines = itertools.zip_longest(archive.open("entries.jsonl"), archive.open("proofs.txt"))
    for number, (line, proof) in enumerate(lines, 1):
        at = f"line {number} of entries.jsonl"
        ensure(line and proof, f"there is not one proof for each entry: see {at}")
        entry = JSON.decode(line.decode())
        position, path = entry["position"], [base64.b64decode(it, validate=True) for it in proof.split()]
        ensure(before < position < size, f"{at}: position {position} is out of order in a log of {size}")
        is_proven = root_above(hashlib.sha256(b"\0" + line[:-1]).digest(), position, size, path) == root
        ensure(is_proven, f"{at} is not proven: the log holds something else at position {position}")
        own, before = rows.pop(position, []), position
        for row in own:
            agree(entry, row, steps[row["step"]], quotas)
        is_once = len(own) < 2 or entry["type"] != "placement-recorded"
        ensure(is_once, f"explanation.json tells twice of the placement at position {position}")
    ensure(not rows, f"the entry at position {min(rows, default=0)} is behind a step and not in the dossier")
    return number

def add_up(it, explanation):
    """Adds up the lines of the statement, the steps of the explanation, and the rows of each step."""
    now, kinds, moved, rows, standing = it["halfYear"], it["realisedByKind"], Counter(), defaultdict(list), 0
    obliged = it["quota"] + it["revision"] + it["exchange"] + it["boundary"]
    hold("statement.json", it, {"due": it["carriedOver"]["used"] + obliged, "realised": sum(kinds.values())})
    hold("statement.json", it, {"remaining": it["due"] - it["realised"], "surplus": max(0, -it["remaining"])})
    for row in explanation["behind"]:
        rows[row["step"]].append(row)
    for number, step in enumerate(explanation["steps"]):
        is_fact = step["line"] in ("carry_over", "boundary")
        in_rows = sum(row["persons"] or 0 for row in rows[number])
        hold(f"explanation.json: step {number}", {**step, "persons in its rows": in_rows}, {
            "change": EFFECT[step["line"]] * step["persons"],
            "entries": len({row["position"] for row in rows[number]}),
            "persons in its rows": 0 if is_fact else step["persons"] - step["byBoundary"]})
        moved[step["halfYear"], step["line"], step["kind"]] += step["persons"]
        moved["before"] += step["change"] if step["halfYear"] < now else 0
        standing += step["change"]
        step["standing"] = standing
    hold("explanation.json", explanation, {"standingSince": 0, "standing": standing})
    hold("statement.json", it, {"remaining": standing})
    hold("statement.json", kinds, {kind: moved[now, "housed", kind] for kind in kinds})
    if it["area"]["code"].startswith("GM"):  # Within a sum a boundary change moves numbers from line to line.
        lines = ("quota", "revision", "exchange", "boundary")
        hold("statement.json", it, {line: moved[now, line, None] for line in lines})
        hold("statement.json", it["carriedOver"], {"used": moved["before"] + moved[now, "carry_over", None]})

def check_page(page, statement, explanation):
    """Holds every figure on the page against the statement and the explanation. Gives how many there are."""
    more = re.search(r"<script|<iframe|<link|http-equiv| style=| on\w+=", page)
    ensure(not more, "page.html does more than show")
    found = re.findall(r'<data id="([^"]*)" value="([^"]*)">([^<]*)</data>', page)
    shown = {name: (value, text) for name, value, text in found}
    ensure(len(shown) == len(found) == page.count("<data"), "page.html: a figure has another form")
    steps = {str(number): step for number, step in enumerate(explanation["steps"])}
    needed = [f"statement.{name}" for name in ("due", "realised", "remaining")]
    for name in [*needed, *(f"step.{number}.change" for number in steps), *shown]:
        number = {"statement": statement, "explanation": explanation, "step": steps}
        for part in name.split("."):
            number = number[part]
        hold("page.html", {name: shown.get(name)}, {name: (str(number), f"{number:,}".replace(",", "."))})
    return len(shown)

def verify(archive, key):
    """Checks everything, and gives what to say of it."""
    check_seal(archive, key)
    origin, size, root = signed_lines(archive.read("checkpoint"), "checkpoint", key)[:3]
    ensure(origin == key[0], f"checkpoint is of the log {origin}, and the key is of {key[0]}")
    about, it, explanation = (JSON.decode(archive.read(MEMBERS[at]).decode()) for at in (0, 2, 3))
    known_at = {**it["knownAt"], "size": int(size)}
    hold("statement.json", it, {"checkpoint": {"size": int(size), "root": root}, "knownAt": known_at})
    same = ("area", "checkpoint", "contested", "generated", "knownAt")
    hold("explanation.json", explanation, {name: it[name] for name in same} | {"on": it["referenceDate"]})
    count = check_entries(archive, explanation, int(size), base64.b64decode(root))
    hold("dossier.json", about, {"format": FORMAT, "size": int(size), "entries": count, "area": it["area"]})
    hold("dossier.json", about, {"on": it["referenceDate"], "reading": it["reading"]})
    add_up(it, explanation)
    figures = check_page(archive.read("page.html").decode(), it, explanation)
    area, on = about["area"], about["on"]
    return (f"{area['name']} ({area['code']}) on {on}: {it['remaining']} remaining\n"
            f"{count} entries, each proven to stand in the log of {origin} with {size} entries\n"
            f"{len(explanation['steps'])} steps and {figures} figures on the page agree, as sealed\n"
            "taken as stated: fixed carry-overs, revisions, shares of splits, which entries there are")

if __name__ == "__main__":
    try:
        ensure(len(sys.argv) == 3, "write: python3 verify.py DOSSIER KEY", 64)
        key = read_key(sys.argv[2])
        checked = verify(zipfile.ZipFile(sys.argv[1]), key)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as fault:
        ensure(False, f"{sys.argv[1]} cannot be read: {fault}", 2)
    except Exception as fault:  # Whatever is not as it should be refuses the dossier.
        ensure(False, f"a part of it has another form than it should: {type(fault).__name__}: {fault}")
    print(checked)
