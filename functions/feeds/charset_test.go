package function

import (
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/text/encoding/htmlindex"
)

// wide16 returns s in UTF-16, big-endian or little-endian.
func wide16(s string, big bool) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		high, low := byte(u>>8), byte(u)
		if !big {
			high, low = low, high
		}
		b.WriteByte(high)
		b.WriteByte(low)
	}
	return b.String()
}

// wide32 returns s in UTF-32, big-endian.
func wide32(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.Write([]byte{0, byte(r >> 16), byte(r >> 8), byte(r)})
	}
	return b.String()
}

func TestAFeedIsReadInItsCharset(t *testing.T) {
	in := func(label, text string) string {
		e, err := htmlindex.Get(label)
		if err != nil {
			t.Fatal(err)
		}
		s, err := e.NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	says := func(label, title string) string {
		return `<?xml version="1.0" encoding="` + label + `"?>` + rssFeed("<title>"+title+"</title>")
	}
	const cafe, bom = "Café – 5 €", "\ufeff"
	for name, c := range map[string]struct{ kind, body, want string }{
		"the header":                             {"text/xml; charset=iso-8859-1", rssFeed("<title>Caf\xe9</title>"), "Café"},
		"the header before the declaration":      {"text/xml; charset=koi8-r", in("koi8-r", says("windows-1251", "Привет")), "Привет"},
		"the declaration":                        {"text/xml", in("windows-1251", says("windows-1251", "Привет")), "Привет"},
		"the declaration in single quotes":       {"", in("koi8-r", "<?xml version='1.0' encoding='KOI8-R' standalone='yes'?>"+rssFeed("<title>Привет</title>")), "Привет"},
		"a mark before header and declaration":   {"text/xml; charset=iso-8859-1", bom + says("iso-8859-1", cafe), cafe},
		"two marks":                              {"", bom + bom + says("utf-8", cafe), cafe},
		"declared Latin-1, is Windows-1252":      {"", says("iso-8859-1", "Caf\xe9 \x96 5 \x80"), cafe},
		"declared ASCII, is Windows-1252":        {"", says("us-ascii", "Caf\xe9 \x96 5 \x80"), cafe},
		"ASCII in the header, is UTF-8":          {"text/xml; charset=us-ascii", says("utf-8", cafe), cafe},
		"encoded twice":                          {"text/xml; charset=utf-8", says("utf-8", "FÃ¶hr â€“ 5 â‚¬"), "Föhr – 5 €"},
		"encoded twice, as Latin-1":              {"", says("utf-8", "F\u00c3\u00b6hr \u00e2\u0080\u0093 5"), "Föhr – 5"},
		"one sign encoded twice":                 {"", says("utf-8", "Â£30 million"), "£30 million"},
		"Russian encoded twice":                  {"", says("utf-8", "ÐŸÑ€Ð¸Ð²ÐµÑ‚"), "Привет"},
		"declared Latin-1, is UTF-8 but a byte":  {"", says("iso-8859-1", "Brøndby får æøåæøåæøå, bes\xf8ge"), "Brøndby får æøåæøåæøå, bes\ufffdge"},
		"Latin-1 with a pair that is UTF-8":      {"", says("iso-8859-1", "F\xf6hr, K\xf6ln \xc3\xa9"), "Föhr, Köln Ã©"},
		"a part encoded twice stays":             {"", says("utf-8", "FÃ¶hr und Köln"), "FÃ¶hr und Köln"},
		"letters of Portuguese":                  {"", says("utf-8", "SÃO JOÃO – «MANHÃ»"), "SÃO JOÃO – «MANHÃ»"},
		"declared Latin-1, is UTF-8":             {"", says("iso-8859-1", cafe), cafe},
		"declared UTF-8, is Windows-1252":        {"", says("utf-8", "Caf\xe9 \x96 5 \x80"), cafe},
		"nothing declared, is Windows-1252":      {"", rssFeed("<title>Caf\xe9 \x96 5 \x80</title>"), cafe},
		"declared UTF-16, is UTF-8":              {"", says("utf-16", cafe), cafe},
		"UTF-16 in the header, is UTF-8":         {"text/xml; charset=utf-16", says("utf-8", cafe), cafe},
		"a charset that is not known":            {"text/xml; charset=bogus", says("x-nothing", cafe), cafe},
		"declared UTF-8, one bad byte":           {"", says("utf-8", "Grüße à \xff Zürich"), "Grüße à \ufffd Zürich"},
		"GBK":                                    {"", in("gbk", says("gb2312", "树莓派有货")), "树莓派有货"},
		"GBK in the header only":                 {"application/xml; charset=GBK", in("gbk", rssFeed("<title>树莓派有货</title>")), "树莓派有货"},
		"GBK, one bad byte":                      {"", in("gbk", says("gb2312", "树莓派")) + "<!-- \xff -->", "树莓派"},
		"Big5":                                   {"", in("big5", says("Big5", "有存貨")), "有存貨"},
		"Shift_JIS":                              {"", in("shift_jis", says("Shift_JIS", "在庫あり")), "在庫あり"},
		"EUC-KR":                                 {"", in("euc-kr", says("euc-kr", "재고 있음")), "재고 있음"},
		"a charset that browsers do not know":    {"", "<?xml version='1.0' encoding='cp850'?>" + rssFeed("<title>Caf\x82</title>"), "Café"},
		"UTF-16LE with a mark":                   {"", wide16(bom+says("utf-16", cafe), false), cafe},
		"UTF-16BE with a mark":                   {"application/rss+xml; charset=utf-8", wide16(bom+says("utf-16", cafe), true), cafe},
		"UTF-16LE without a mark":                {"", wide16(says("utf-16", cafe), false), cafe},
		"UTF-16BE without a mark":                {"text/xml; charset=utf-16", wide16(rssFeed("<title>"+cafe+"</title>"), true), cafe},
		"UTF-32 with a mark":                     {"", wide32(bom + says("utf-32", cafe)), cafe},
		"UTF-32 without a mark":                  {"", wide32(says("utf-32", cafe)), cafe},
		"a JSON feed in Latin-1":                 {"application/json; charset=iso-8859-1", `{"version":"https://jsonfeed.org/version/1","title":"t","items":[{"title":"Caf` + "\xe9" + `"}]}`, "Café"},
		"a JSON feed in UTF-16":                  {"", wide16(bom+`{"version":"https://jsonfeed.org/version/1","title":"t","items":[{"title":"Café"}]}`, false), "Café"},
		"a header that cannot be read":           {"text/xml; charset=", says("utf-8", cafe), cafe},
		"a declaration behind a program's words": {"", "\n<br />\n<b>Warning</b>: x in <b>/a.php</b> on line <b>3</b><br />\n" + in("windows-1251", says("windows-1251", "Привет")), "Привет"},
	} {
		if got := listed(c.kind, c.body); got != "|"+c.want+"|" {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
