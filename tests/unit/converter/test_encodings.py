"""A file without a declared encoding is read correctly, with a warning, or refused, but never as another text."""

import json
import random
from typing import Any

import pytest

from converter.encodings import codec_of, detect
from converter.rejections import Rejection
from shared.clients import client

from .conftest import Run, invoke, manifest, rejects_of, rows_of, upload

# ruff: noqa: RUF001 - letters that look like others are what this is about
# Words of tables in many languages, and the encodings in which programs write them
WORDS = {
    "서울 부산 대구 인천 광주 홍길동 김철수 이영희 고객명 주문 수량": ["cp949", "euc_kr"],
    "北京 上海 广州 深圳 张三 李四 王小明 客户 订单 数量 备注": ["gbk", "gb18030"],
    "臺北 高雄 臺中 新竹 王小明 陳美玲 客戶 訂單 數量 備註": ["big5", "cp950"],
    "東京 大阪 横浜市 名古屋 鈴木太郎 佐藤花子 カタカナ ひらがな 数量": ["shift_jis", "cp932", "euc_jp"],
    "Москва Казань Иван Ольга Сергеевна Екатеринбург заказ количество": [
        "cp1251",
        "koi8_r",
        "iso8859_5",
        "cp866",
        "mac_cyrillic",
    ],
    "Київ Львів Україна Олександр Їжак Євген замовлення кількість": ["cp1251", "koi8_u"],
    "София Пловдив Георги Иванов Димитър поръчка количество": ["cp1251"],
    "Warszawa Łódź Gdańsk Łukasz Żaneta Małgorzata zamówienie ilość wysyłka": ["cp1250", "iso8859_2"],
    "Praha Plzeň České Budějovice Jiří Tomáš Lukáš objednávka množství příjem": ["cp1250", "iso8859_2"],
    "Győr Pécs Székesfehérvár Mihály Zoltán vevő rendelés mennyiség szőlő": ["cp1250", "iso8859_2"],
    "Αθήνα Θεσσαλονίκη Γιώργος Μαρία Παπαδόπουλος παραγγελία ποσότητα": ["cp1253", "iso8859_7"],
    "İstanbul Diyarbakır Şanlıurfa Ağrı Çiğdem Gülşen müşteri sipariş": ["cp1254"],
    "ירושלים חיפה דוד שרה כהן לקוח הזמנה כמות": ["cp1255"],
    "القاهرة الرياض محمد فاطمة عبدالله طلب كمية العميل": ["cp1256", "iso8859_6"],
    "Kaunas Klaipėda Šiauliai Žydrūnas Gintarė užsakymas kiekis ąžuolas": ["cp1257", "iso8859_13"],
    "กรุงเทพ เชียงใหม่ ขอนแก่น สมชาย สมหญิง ลูกค้า คำสั่งซื้อ": ["cp874", "tis_620"],
    "München Köln Düsseldorf Straße Größe Händler Bestellung für größere": ["cp1252", "cp850", "mac_roman"],
    "Évreux Béziers Île-de-France Hélène François où garçon numéro préféré": ["cp1252", "cp850", "mac_roman"],
    "São Paulo Goiânia Brasília João Conceição endereço informação não": ["cp1252", "cp850"],
    "København Århus Ærø Østerbro Søren Åse bestilling følge": ["cp1252"],
}
# Any number of these letters means a Western encoding, because most files contain few other non-ASCII letters.
WESTERN = [
    "Müller",
    "José",
    "5 °C",
    "10 €",
    "“five” – yes",
    "ÉVREUX BÉZIERS ÎLE-DE-FRANCE GRÖßE",
    "N° 5",
    "© ACME ®",
    "Ångström",
    "£5",
    "GÖTEBORG",
    "don’t…",
    "¿Qué?",
    "ÑANDÚ",
    "þórður",
    "±5 ½",
]


def csv_of(words: list[str], seed: int = 1) -> str:
    order = random.Random(seed)
    return "id,name,city\n" + "".join(f"{i},{order.choice(words)},{words[i % len(words)]}\n" for i in range(40))


@pytest.mark.parametrize(
    ("words", "encoding"), [(words, encoding) for words, encodings in WORDS.items() for encoding in encodings]
)
def test_the_words_of_a_language_are_read_as_they_were_written(words: str, encoding: str) -> None:
    text = csv_of(words.split(" "))
    content = text.encode(encoding)
    detected = detect(iter([content]))
    assert content.decode(detected.name) == text
    assert detected.warning.startswith("encoding: ")


@pytest.mark.parametrize("word", WESTERN)
def test_western_text_is_never_refused(word: str) -> None:
    content = f"id,name\n1,{word}\n2,x\n".encode("cp1252")
    assert content.decode(detect(iter([content])).name) == content.decode("cp1252")


@pytest.mark.parametrize("size", [7, 1000, 1 << 20])
def test_a_late_word_counts_wherever_a_piece_ends(size: int) -> None:
    content = (
        "id,name\n" + "1,Cafe\n" * 20_000 + csv_of(["서울", "부산", "대구광역시", "김철수", "고객번호", "주문"])
    ).encode("cp949")
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    assert detect(iter(pieces)).name == "cp949"


def test_a_large_file_keeps_a_small_sample_of_all_its_parts() -> None:
    western, korean = ("id,name\n" + "1,Müller\n" * 90_000).encode("cp1252"), csv_of(["서울", "홍길동"]).encode("cp949")
    many = "".join(f"{i},{i % 9973}번 서울 고객\n" for i in range(100_000)).encode("cp949")
    assert detect(iter([western])).name == "cp1252"
    assert detect(iter([many[:1_000_000], many[1_000_000:], korean])).name == "cp949"


def test_mail_encodings_of_japan_are_not_ascii() -> None:
    content = "id,名前\n1,東京\n".encode("iso2022_jp")
    assert content.decode(detect(iter([content])).name) == "id,名前\n1,東京\n"


def test_an_uncertain_file_is_refused_and_may_be_explained(run: Run) -> None:
    content = b"id,name\n" + bytes(random.Random(3).choices(range(128, 160), k=60)) + b",x\n"
    outcome = run("a.csv", content)
    assert outcome.facts["reason"] == "uncertain_encoding"
    assert "--metadata encoding=" in outcome.facts["reason_text"]


def test_few_words_of_east_asia_are_refused_if_two_encodings_fit(run: Run) -> None:
    # In GB 18030, the same bytes are an equally plausible text.
    assert run("a.csv", "id,name\n1,홍길동\n".encode("cp949")).facts["reason"] == "uncertain_encoding"
    assert run("a.csv", "id,name\n1,鈴木太郎\n".encode("euc_jp")).facts["reason"] == "uncertain_encoding"


def test_the_manifest_has_the_encoding_and_what_was_assumed(run: Run) -> None:
    outcome = run("a.csv", "이름,나이\n홍길동,30\n김철수,25\n".encode("cp949"))
    assert rows_of(outcome.parquet) == [("홍길동", 30), ("김철수", 25)]
    assert outcome.facts["encoding"] == "cp949"
    assert any("read as cp949" in warning for warning in outcome.facts["warnings"])
    assert run("a.csv", "id,name\n1,é\n").facts["warnings"] == []


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize("metadata", [True, False])
def test_metadata_or_the_schema_of_the_dataset_says_the_encoding(metadata: bool) -> None:
    content = "id;name\n1;Łódź\n2;é\n".encode("iso8859_2")
    event = upload("raw/orders/a.csv", content)
    if metadata:
        version = client("s3").put_object(
            Bucket="uploads", Key="raw/orders/a.csv", Body=content, Metadata={"encoding": "latin2", "delimiter": ";"}
        )
        event["Records"][0]["s3"]["object"]["versionId"] = version["VersionId"]
    else:
        body = json.dumps({"encoding": "ISO-8859-2", "delimiter": ";", "columns": {"id": "VARCHAR"}})
        client("s3").put_object(Bucket="analytics", Key="_schemas/orders.json", Body=body)
    assert invoke(event)[0]["status"] == "CONVERTED"
    assert (manifest()["encoding"], manifest()["warnings"]) == ("iso8859-2", [])
    schema = json.loads(client("s3").get_object(Bucket="analytics", Key="_schemas/orders.json")["Body"].read())
    # The users' own metadata stays.
    assert schema.get("encoding") == (None if metadata else "ISO-8859-2")
    assert set(schema["columns"]) == {"id", "name"}


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize(
    ("hints", "reason"),
    [
        ({"encoding": "klingon"}, "unknown_encoding"),
        ({"encoding": "rot13"}, "unknown_encoding"),
        ({"delimiter": "ab"}, "unknown_hint"),
        ({"header": "maybe"}, "unknown_hint"),
        ({"encoding": 7}, "unknown_hint"),
    ],
)
def test_a_hint_that_means_nothing_is_named(hints: dict[str, Any], reason: str) -> None:
    client("s3").put_object(Bucket="analytics", Key="_schemas/orders.json", Body=json.dumps(hints))
    result = invoke(upload("raw/orders/a.csv", "id\n1\n"))[0]
    assert (result["status"], result["reason"]) == ("REJECTED", reason)
    assert repr(next(iter(hints.values()))) in result["reason_text"]


def test_a_mark_is_believed_before_a_hint() -> None:
    encoding = detect(iter(["\ufeffid\n1\n".encode()]), "cp949")
    assert (encoding.name, encoding.skip) == ("utf-8", 3)
    assert "not cp949" in encoding.warning
    assert detect(iter(["\ufeffid\n1\n".encode()]), "UTF8").warning == ""


@pytest.mark.parametrize("name", ["base64", "idna", "punycode", "unicode_escape", "undefined", "no\0name", ""])
def test_an_encoding_that_is_not_for_files_is_refused(name: str) -> None:
    with pytest.raises(Rejection, match="unknown_encoding"):
        codec_of(name)


def test_bytes_that_the_encoding_does_not_have_set_their_row_aside(run: Run) -> None:
    names = [f"고객{i}" for i in range(60)]
    content = "id,name\n" + "".join(f"{i},{name}\n" for i, name in enumerate(names))
    outcome = run("a.csv", content.encode("utf-16"))
    assert len(rows_of(outcome.parquet)) == 60
    outcome = run("a.csv", content.encode() + b"60,\xff\n")
    assert [reject["reason"] for reject in rejects_of(outcome.rejects)] == ["bad_encoding"]
