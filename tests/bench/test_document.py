from config.bench.document import machine, page
from config.bench.report import report
from tests.bench.test_report import NGINX_ONE, ONE


def test_the_page_holds_the_method_the_table_the_goals_and_the_rows() -> None:
    found = report([ONE, NGINX_ONE], sent=10_000, recorded=10_000)

    text = page(found, machine="2 cores", seconds=5)

    assert text.startswith("# Benchmark\n")
    assert "2 cores; 5 seconds a measurement." in text
    assert "json  tollgate, no limits" in text
    assert "met      web worker's CPU per JSON request: 5.00 x nginx (at most 14)" in text
    assert "- 10,000 rows in the ledger, as many as the 10,000 requests sent." in text
    assert text.count("```") == 4


def test_the_machine_is_named_without_its_address() -> None:
    assert "cores (" in machine()
    assert "Python 3." in machine()
