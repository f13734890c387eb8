package function

import (
	"strings"
	"testing"
)

func TestAnAnswerThatIsNoFeedIsNamed(t *testing.T) {
	for name, c := range map[string]struct{ kind, body, want string }{
		"nothing":               {"", "", "an empty answer instead of a feed"},
		"blanks":                {"text/xml", "\ufeff \r\n", "an empty answer instead of a feed"},
		"a page":                {"text/html", `<!DOCTYPE html><html><head><title>My  Blog &amp; more</title></head></html>`, `a web page instead of a feed ("My Blog & more"): open the address in a browser`},
		"a page without a type": {"", `<html><body>moved</body></html>`, "a web page instead of a feed: open"},
		"XHTML":                 {"application/xhtml+xml", `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>t</title></head></html>`, `a web page instead of a feed ("t")`},
		"a text, then HTML":     {"text/html", `Error establishing a database connection<br/>Try again`, "a web page instead of a feed: open"},
		"an old page of nginx":  {"text/html", `<center><h1>502 Bad Gateway</h1></center><hr>`, "a web page instead of a feed: open"},
		"a link in a text":      {"", `Not found. <a href="/">Home</a>`, "a web page instead of a feed: open"},
		"a page for robots":     {"", `<noscript>Enable JavaScript and cookies to continue</noscript>`, "a test for robots"},
		"an error of OAuth":     {"application/json", `{"error":"invalid_token","error_description":"The token has expired"}`, `JSON that is not a feed ("The token has expired")`},
		"a page to log in":      {"text/html", `<html><title>Sign in</title><form><input name=p type="password"></form></html>`, `a page to log in instead of a feed ("Sign in"): the feed needs an account`},
		"Cloudflare":            {"text/html", `<!DOCTYPE html><html><head><title>Just a moment...</title></head><body><script src="/cdn-cgi/challenge-platform/x.js"></script></body></html>`, "a test for robots (such as Cloudflare's) instead of a feed"},
		"another challenge":     {"text/html", `<html><body>Please complete the CAPTCHA</body></html>`, "a test for robots"},
		"an error in JSON":      {"application/json", `{"error":"gone for good"}`, `JSON that is not a feed ("gone for good")`},
		"a deeper one":          {"application/json", `{"error":{"code":404,"message":"no such list"}}`, `JSON that is not a feed ("no such list")`},
		"a list of errors":      {"application/json", `{"errors":[{"message":"not authorized"}]}`, `JSON that is not a feed ("not authorized")`},
		"a list in JSON":        {"application/json", `[{"id":1}]`, "JSON that is not a feed"},
		"JSON with a mistake":   {"application/json", `{"version":"https://jsonfeed.org/version/1.1",,}`, "JSON with a mistake instead of a feed"},
		"half of JSON":          {"application/json", `{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1`, "a feed that ends half-way"},
		"items of another type": {"application/json", `{"version":"https://jsonfeed.org/version/1.1","items":"none"}`, "a JSON feed whose items are not a list"},
		"entries of another":    {"application/json", `{"version":"https://jsonfeed.org/version/1.1","items":[{"name":"x"}]}`, "a JSON feed whose entries have other fields"},
		"an error in XML":       {"text/xml", `<?xml version="1.0"?><error><code>410</code></error>`, "an XML document <error> instead of a feed"},
		"OPML":                  {"text/xml", `<opml version="2.0"><body><outline xmlUrl="https://e.org"/></body></opml>`, "a list of feeds (OPML) instead of a feed"},
		"a sitemap":             {"text/xml", `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url/></urlset>`, "a sitemap instead of a feed"},
		"words":                 {"text/plain", "Feed not found", `a text instead of a feed ("Feed not found")`},
		"a picture":             {"image/png", "\x89PNG\r\n\x1a\n\x00\x00", `"image/png" instead of a feed`},
		"a PDF":                 {"", "%PDF-1.7 \x00", `"application/pdf" instead of a feed`},
		"half of RSS":           {"", strings.TrimSuffix(rssFeed("<title>A</title>"), "</channel></rss>"), "a feed that ends half-way"},
		"half of RSS 0.9":       {"", `<rss><channel><title>t</title></channel><item><title>A</title></item>`, "a feed that ends half-way"},
		"half of an old RSS":    {"", `<rss><channel><title>t</title></channel>`, "a feed that ends half-way"},
		"half of RSS 1.0":       {"", `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><channel></channel><item><title>A</title></item>`, "a feed that ends half-way"},
		"half of Atom":          {"", strings.TrimSuffix(atomFeed("<title>A</title>"), "</feed>"), "a feed that ends half-way"},
		"half of CDATA":         {"", `<rss><channel><item><title><![CDATA[A</title></item></channel></rss>`, "a feed that ends half-way"},
		"half of a comment":     {"", `<rss><channel><item/><!-- </channel></rss>`, "a feed that ends half-way"},
		"an empty element":      {"", `<feed xmlns="http://www.w3.org/2005/Atom"/>`, "a feed that contains nothing"},
		"an empty feed":         {"", `<rss version="2.0"></rss>`, "a feed that contains nothing"},
	} {
		got := listed(c.kind, c.body)
		if !strings.HasPrefix(got, c.want) || strings.Contains(got, "XML syntax") || strings.Contains(got, "invalid character") {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := listed("text/html", "<html><title>"+strings.Repeat("long ", 100)+"</title></html>"); strings.Contains(got, "long") {
		t.Errorf("an error quotes a long text, in which a secret may be cut: %q", got)
	}
}

// A feed that is cut anywhere must not be read as a shorter one: its other entries would
// count as closed.
func TestAFeedThatIsCutIsNeverRead(t *testing.T) {
	for _, name := range []string{"rpilocator.xml", "news.atom"} {
		whole := strings.TrimSpace(read(t, name))
		all := listed("", whole)
		for n := range whole {
			if got := listed("", whole[:n]); got != all && strings.Contains(got, "|") {
				t.Fatalf("%s, cut after %d of %d bytes: %q", name, n, len(whole), got)
			}
		}
	}
	const feed = `{"version":"https://jsonfeed.org/version/1.1","title":"t","items":[{"id":"1","title":"A"},{"id":"2","title":"B"}]}`
	for n := range feed {
		if got := listed("", feed[:n]); strings.Contains(got, "|") {
			t.Fatalf("JSON, cut after %d bytes: %q", n, got)
		}
	}
}
