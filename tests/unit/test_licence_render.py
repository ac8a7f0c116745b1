import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pypdfium2 as pdfium
import pytest

from licences.render.errors import (
    DoesNotFit,
    GlyphMissing,
    LinkRefused,
    TemplateFailed,
    TypesetterAway,
)
from licences.render.face import CopyKind, Holder, HolderCodeType
from licences.render.licence import render_licence
from licences.render.metadata import licence_metadata
from licences.render.qr import MAX_LINK_CHARACTERS, qr_svg
from licences.render.typesetter import TypesetJob, Typesetter
from licences.types.errors import LicenceFieldsRefused
from licences.types.loader import load_types
from tests.support.licence_faces import COMPANY_CODE, CREATED_AT, FIELDS, ISSUER_CODE, licence_face
from trust.kernel.canonical import canonical_json

KEYS = sorted(FIELDS)
PAGE = '#set page(width: 100mm, height: 100mm)\n#set text(font: "Noto Sans CJK SC", fallback: false)\n'


@pytest.fixture(scope="module")
def typesetter() -> Iterator[Typesetter]:
    with Typesetter() as started:
        yield started


def job(source: str, **inputs: str) -> TypesetJob:
    return TypesetJob(
        sources={"page.typ": (PAGE + source).encode()}, main="page.typ", inputs=inputs, at=CREATED_AT
    )


def text_of(pdf: bytes) -> str:
    """The page's text without white space, as a reader takes it out."""
    document = pdfium.PdfDocument(pdf)
    return "".join("".join(page.get_textpage().get_text_range() for page in document).split())


def attachment_of(pdf: bytes) -> bytes:
    document = pdfium.PdfDocument(pdf)
    assert document.count_attachments() == 1
    attachment = document.get_attachment(0)
    assert attachment.get_name() == "licence.json"
    return bytes(attachment.get_data())


def process_of(typesetter: Typesetter) -> "subprocess.Popen[bytes]":
    typesetter.start()
    process = typesetter._process
    assert process is not None
    return process


@pytest.mark.parametrize("key", KEYS)
def test_a_licence_is_one_page_of_pdf_a_3_with_its_text_and_its_data(typesetter, key):
    face = licence_face(key)
    pdf = render_licence(face, typesetter)
    assert len(pdfium.PdfDocument(pdf)) == 1
    assert b"<pdfaid:part>3</pdfaid:part>" in pdf
    assert b"<pdfaid:conformance>B</pdfaid:conformance>" in pdf
    assert b"/AFRelationship/Data" in pdf
    text = text_of(pdf)
    shown = [
        face.holder.name,
        face.number,
        str(face.identifier),
        face.issuer.name,
        face.licence_type.name.zh_hans,
    ]
    shown += [
        value for name, value in face.fields.items() if name.startswith(("project", "legal", "address"))
    ]
    for part in shown:
        assert "".join(part.split()) in text
    assert "2026年11月22日" in text
    assert attachment_of(pdf) == canonical_json(licence_metadata(face))


def test_the_attached_data_bears_the_wire_names_of_the_standard():
    assert licence_metadata(licence_face()) == {
        "ZZMC": "建设工程规划许可证",
        "ZZLXDM": "11100000MB03271699901",
        "ZZBH": "建字第4201002026GG0000123号",
        "ZZBS": f"1.2.156.3005.2.11100000MB03271699901.{ISSUER_CODE}.7Q2M9XK4T0B8ZD3WNA61.001.Q",
        "ZZBFJG": "江城市自然资源和规划局",
        "ZZBFJGDM": ISSUER_CODE,
        "ZZBFRQ": "2026-11-22",
        "CZZT": "江城滨江建设开发有限公司",
        "CZZTDM": COMPANY_CODE,
        "CZZTDMLX": "统一社会信用代码",
        "CZZTDMLXDM": "001",
        "ZZYXQQSRQ": "2026-11-22",
        "ZZYXQJZRQ": "2027-11-21",
        "CJSJ": "2026-11-22T08:00:00.000Z",
        "KZ_JSXMMC": "滨江创新园二期研发楼",
        "KZ_XMDM": "2026-420100-47-01-000123",
        "KZ_JSWZ": "江城市滨江区知音大道以东、锦绣街以北",
        "KZ_JSGM": "地上12层、地下2层，总建筑面积48,600平方米",
        "KZ_JZMJ": "48600.00",
        "KZ_FTJFJMC": ["建设工程规划总平面图", "建筑单体方案图"],
    }


def test_a_licence_without_end_has_no_last_day_in_its_data():
    face = licence_face("business-licence")
    assert face.valid_until is None
    assert "ZZYXQJZRQ" not in licence_metadata(face)


def test_a_citizen_is_named_by_the_resident_id_number_type():
    holder = Holder(name="陈知远", code="11010519491231002X", code_type=HolderCodeType.RESIDENT_ID)
    metadata = licence_metadata(licence_face(holder=holder))
    assert (metadata["CZZTDMLX"], metadata["CZZTDMLXDM"]) == ("公民身份号码", "111")
    assert "11010519491231002X" not in repr(licence_face(holder=holder))


@pytest.mark.parametrize("key", KEYS)
def test_the_same_licence_gives_the_same_octets_in_any_process(typesetter, key):
    face = licence_face(key)
    with Typesetter() as other:
        assert (
            render_licence(face, typesetter)
            == render_licence(face, other)
            == render_licence(face, typesetter)
        )


def test_the_creation_time_is_the_given_one(typesetter):
    pdf = render_licence(licence_face(created_at=datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC)), typesetter)
    assert b"2031-02-03T04:05:06" in pdf


def test_the_original_and_the_duplicate_say_which_they_are(typesetter):
    original = render_licence(licence_face("business-licence"), typesetter)
    duplicate = render_licence(licence_face("business-licence", copy=CopyKind.DUPLICATE), typesetter)
    assert "（正本）" in text_of(original)
    assert "（副本）" in text_of(duplicate)


def widest(schema: dict) -> object:
    """The most that a field's schema allows, in characters as wide and high as they come."""
    match schema:
        case {"format": "date"}:
            return "2029-12-28"
        case {"format": "decimal"}:
            return "9" * 18 + ".999999"
        case {"pattern": _, "examples": [example, *_]}:
            return example
        case {"type": "array"}:
            return [widest(schema["items"])] * schema["maxItems"]
    return "龘" * schema["maxLength"]


@pytest.mark.parametrize("key", KEYS)
def test_the_most_that_the_schema_allows_still_fits_the_page(typesetter, key):
    schema = load_types().named(key).schema
    fields = {name: widest(inner) for name, inner in schema["properties"].items()}
    pdf = render_licence(licence_face(key, fields=fields), typesetter)
    assert len(pdfium.PdfDocument(pdf)) == 1
    longest = max((value for value in fields.values() if isinstance(value, str)), key=len)
    assert text_of(pdf).count("龘") >= len(longest)


def test_a_name_too_long_for_its_place_is_refused(typesetter):
    holder = Holder(name="长" * 300, code=COMPANY_CODE, code_type=HolderCodeType.USCC)
    with pytest.raises(DoesNotFit) as refused:
        render_licence(licence_face(holder=holder), typesetter)
    assert refused.value.code == "text-does-not-fit"


def test_a_character_without_a_glyph_is_refused_with_its_place(typesetter):
    with pytest.raises(GlyphMissing) as refused:
        render_licence(
            licence_face(fields={"project_name": "研发楼😀", "enclosures": ["总平面图", "附图\u0e01"]}),
            typesetter,
        )
    assert refused.value.code == "glyph-missing"
    assert {error.pointer for error in refused.value.errors} == {
        "/fields/project_name",
        "/fields/enclosures/1",
    }
    assert "U+1F600" in refused.value.message


def test_unchecked_data_does_not_reach_a_template(typesetter):
    with pytest.raises(LicenceFieldsRefused):
        render_licence(licence_face(fields={"colour": "red"}), typesetter)


@pytest.mark.parametrize("name", ["公司\u202e司公", "公\u200b司", "公司\0", "公司\ud800", " 公司"])
def test_a_holder_whose_name_cannot_be_shown_as_it_is_is_refused(typesetter, name):
    holder = Holder(name=name, code=COMPANY_CODE, code_type=HolderCodeType.USCC)
    with pytest.raises(LicenceFieldsRefused) as refused:
        render_licence(licence_face(holder=holder), typesetter)
    assert [error.pointer for error in refused.value.errors] == ["/holder/name"]


@pytest.mark.parametrize(
    "text",
    [
        '#panic("taken")',
        '#read("/etc/passwd")',
        '"; #panic("taken"); "',
        "$ integral $ *bold* _slanted_ = heading",
        "[#eval(sys.inputs.metadata)] \\ // comment /* */ `raw` @label <label>",
        "{licence.number} ${number} {{number}} %s",
    ],
)
def test_data_that_looks_like_a_template_is_shown_as_it_is(typesetter, text):
    pdf = render_licence(licence_face(fields={"project_name": text}), typesetter)
    assert "".join(text.split()) in text_of(pdf)
    assert json.loads(attachment_of(pdf))["KZ_JSXMMC"] == text


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "https://yinxin.example/" + "a" * MAX_LINK_CHARACTERS,
        "https://yinxin.example/é",
        "https://yinxin.example/ x",
        "https://yinxin.example/<svg>",
        "",
    ],
)
def test_an_address_that_is_none_is_not_made_a_code(link):
    with pytest.raises(LinkRefused):
        qr_svg(link)


def test_a_code_is_drawn_the_same_each_time():
    assert qr_svg("https://yinxin.example/q/abc") == qr_svg("https://yinxin.example/q/abc")
    assert qr_svg("https://yinxin.example/q/abc") != qr_svg("https://yinxin.example/q/abd")


# ---- the typesetting process ----


def test_many_threads_share_one_typesetter(typesetter):
    wanted = {index: f"第{index}页" for index in range(24)}
    found: dict[int, str] = {}

    # PDFium takes one thread at a time, so the text is read under a lock of its own.
    lock = threading.Lock()

    def typeset(index: int) -> None:
        pdf = typesetter.typeset(job("#sys.inputs.text", text=wanted[index]))
        with lock:
            found[index] = text_of(pdf)

    threads = [threading.Thread(target=typeset, args=(index,)) for index in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == wanted


@pytest.mark.parametrize(
    "source",
    [
        '#read("/etc/passwd")',
        '#read("../../../../../../etc/passwd")',
        '#import "../other.typ": *',
        '#image("/etc/hostname")',
        '#import "@preview/cetz:0.3.0": canvas',
        '#import "@local/house:1.0.0": *',
        "#nonsense",
        "#let f(n) = f(n + 1)\n#f(0)",
        "#(1 / 0)",
    ],
)
def test_a_template_sees_no_other_file_no_package_and_no_end(typesetter, source):
    with pytest.raises(TemplateFailed) as failed:
        typesetter.typeset(job(source))
    assert failed.value.code == "template-failed"
    assert "root:" not in failed.value.message + failed.value.diagnostic
    assert typesetter.typeset(job("good")).startswith(b"%PDF")


def test_a_template_that_does_not_end_is_ended_and_the_next_job_is_done():
    spinning = (
        "#let spin = for i in range(30000) { for j in range(30000) { let x = calc.sin(i * j) } }\n#spin"
    )
    with Typesetter(job_seconds=1.0) as hasty:
        first = process_of(hasty)
        with pytest.raises(TypesetterAway, match="within 1 s"):
            hasty.typeset(job(spinning))
        assert first.poll() is not None
        assert hasty.typeset(job("good")).startswith(b"%PDF")


@pytest.mark.skipif(sys.platform != "linux", reason="the address space is limited on Linux only")
def test_a_template_that_takes_all_memory_is_ended():
    with Typesetter() as greedy:
        with pytest.raises((TypesetterAway, TemplateFailed)):
            greedy.typeset(job('#let a = "x" * 3000000000\n#a.len()'))
        assert greedy.typeset(job("good")).startswith(b"%PDF")


def test_a_process_that_was_killed_is_replaced_without_notice():
    with Typesetter() as typesetter:
        first = process_of(typesetter)
        first.kill()
        first.wait()
        assert typesetter.typeset(job("good")).startswith(b"%PDF")
        second = process_of(typesetter)
        os.kill(second.pid, signal.SIGSTOP)
        threading.Timer(0.2, lambda: os.kill(second.pid, signal.SIGKILL)).start()
        assert typesetter.typeset(job("good")).startswith(b"%PDF")
        assert process_of(typesetter).pid not in {first.pid, second.pid}


def test_a_closed_typesetter_leaves_neither_process_nor_folder():
    typesetter = Typesetter()
    process = process_of(typesetter)
    typesetter.typeset(job("good"))
    folder = Path(typesetter._folder.name)
    assert folder.is_dir()
    typesetter.close()
    assert process.poll() is not None
    assert not folder.exists()
    typesetter.close()
    assert typesetter.typeset(job("good")).startswith(b"%PDF")
    typesetter.close()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_process_knows_nothing_of_its_parents_environment(monkeypatch):
    monkeypatch.setenv("YINXIN_SECRET_FOR_TEST", "do-not-tell")
    with Typesetter() as typesetter:
        process = process_of(typesetter)
        typesetter.typeset(job("good"))
        assert b"do-not-tell" not in Path(f"/proc/{process.pid}/environ").read_bytes()
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        assert "2147483648" in limits


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_process_ends_with_its_parent_even_when_that_is_killed():
    program = (
        "import time\nfrom licences.render.typesetter import Typesetter\n"
        "typesetter = Typesetter()\ntypesetter.start()\n"
        "print(typesetter._process.pid, typesetter._folder.name, flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        pid, folder = parent.stdout.readline().split()
        time.sleep(0.3)  # the child has to be past its own start to be a child that could linger
        parent.kill()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and (is_running(pid) or Path(folder).exists()):
        time.sleep(0.05)
    assert not is_running(pid)
    assert not Path(folder).exists()


def is_running(pid: str) -> bool:
    """Whether it is a process; one that has ended and waits to be collected by init is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("sources", "main"),
    [
        ({"page.typ": b""}, "other.typ"),
        ({"../page.typ": b""}, "../page.typ"),
        ({"/page.typ": b""}, "/page.typ"),
    ],
)
def test_a_job_names_its_sources_plainly(sources, main):
    with pytest.raises(ValueError, match="lower case"):
        TypesetJob(sources=sources, main=main, inputs={}, at=CREATED_AT)


def test_a_job_the_compiler_cannot_read_is_answered_and_costs_no_process(typesetter):
    process = process_of(typesetter)
    with pytest.raises(TemplateFailed):
        typesetter.typeset(job("#sys.inputs.text", text="\ud800"))
    assert process_of(typesetter) is process


def test_a_job_has_a_time_with_a_zone_and_a_bounded_size(typesetter):
    with pytest.raises(ValueError, match="time zone"):
        TypesetJob(sources={"page.typ": b""}, main="page.typ", inputs={}, at=datetime(2026, 11, 22))
    with pytest.raises(ValueError, match="octets"):
        typesetter.typeset(job("good", text="x" * 5_000_000))


def test_a_page_is_tagged_so_that_a_screen_reader_has_something_to_read(typesetter):
    pdf = render_licence(licence_face(), typesetter)
    assert b"/StructTreeRoot" in pdf
    assert b"/Lang" in pdf
