package function

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// listed returns the id, title and link of each entry of a feed, or its error.
func listed(contentType string, body string) string {
	a := answer(contentType, body)
	a.URL = &url.URL{Scheme: "https", Host: "feeds.example.org", Path: "/list/rss.xml", RawQuery: "key=s3cr3t"}
	f, _, err := readFeed(a)
	if err != nil {
		return err.Error()
	}
	var lines []string
	for _, e := range f.entries {
		lines = append(lines, strings.Join([]string{e.id, e.title, e.link}, "|"))
	}
	return strings.Join(lines, "\n")
}

func rssFeed(entry string) string {
	return `<rss version="2.0"><channel><title>t</title><item>` + entry + `</item></channel></rss>`
}

func atomFeed(entry string) string {
	return `<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title><entry>` + entry + `</entry></feed>`
}

// TestAMistakeInAFeedCostsLittle: other readers of feeds take these, too.
func TestAMistakeInAFeedCostsLittle(t *testing.T) {
	const good = "<title>A</title><link>https://e.org/1</link>"
	const want = "|A|https://e.org/1"
	title := func(s string) string { return rssFeed("<title>" + s + "</title>") }
	for name, c := range map[string]struct{ body, want string }{
		"blank lines before it":            {"\n\n \ufeff<?xml version='1.0'?>" + rssFeed(good), want},
		"a warning before it":              {"<br />\n<b>Notice</b>: Undefined index in <b>/x.php</b> on line <b>7</b><br />\n<?xml version='1.0'?>" + rssFeed(good), want},
		"words before it":                  {"Deprecated: strlen() in /x.php on line 3\n" + rssFeed(good), want},
		"a comment before it":              {"<!-- <rss> -->" + rssFeed(good), want},
		"two declarations":                 {"<?xml version='1.0'?><?xml version='1.0' encoding='utf-8'?>" + rssFeed(good), want},
		"a declaration with a mistake":     {"<?xml?xml version='1.0' ??>" + rssFeed(good), want},
		"a comment after it":               {rssFeed(good) + "<!-- 0.3 s, 12 queries -->", want},
		"HTML after it":                    {rssFeed(good) + "<script>x < y</script></body></html>", want},
		"a second feed after it":           {rssFeed(good) + rssFeed("<title>B</title>"), want},
		"control characters":               {title("A\x01B\x00C\x08"), "|A\ufffdB\ufffdC\ufffd|"},
		"vertical tab and form feed":       {title("A\vB\fC"), "|A B C|"},
		"numbers of control characters":    {title("A&#1;B&#x0;C&#xD800;D&#1114112;"), "|A\ufffdB\ufffdC\ufffdD\ufffd|"},
		"numbers of Windows-1252":          {title("it&#146;s"), "|it’s|"},
		"entities of HTML":                 {title("caf&eacute;&nbsp;&copy; &hellip;"), "|café © …|"},
		"an entity that is none":           {title("a &foo; b &amp;c"), "|a &foo; b &c|"},
		"& as it is":                       {rssFeed("<title>AT&T & R&D</title><link>https://e.org/?a=1&copy=2&lt=3</link>"), "|AT&T & R&D|https://e.org/?a=1&copy=2&lt=3"},
		"< as it is":                       {title("5 < 6 and <3"), "|5 < 6 and <3|"},
		"prefixes that are not declared":   {rssFeed("<title>A</title><atom:link href='https://e.org/1'/><dc:date>2026-11-23</dc:date>"), want},
		"attributes without quotes":        {rssFeed("<title type=html>A</title><guid isPermaLink=true>https://e.org/1</guid>"), "https://e.org/1|A|https://e.org/1"},
		"an unquoted address at the end":   {strings.Replace(rssFeed(good), `<rss version="2.0">`, "<rss version=2.0 xmlns:x=http://x.example/>", 1), want},
		"upper case":                       {strings.ToUpper(rssFeed("<title>A</title><link>https://e.org/1</link>")), "|A|https://E.ORG/1"},
		"a title without an end":           {rssFeed("<link>https://e.org/1</link><title>A"), want},
		"entries without an end":           {"<rss version='2.0'><channel><item><title>A</title><item><title>B</title></channel></rss>", "|A|\n|B|"},
		"end tags in the wrong order":      {"<rss version='2.0'><channel><item><title><b>A</title></b></item></channel></rss>", "|A|"},
		"an end tag too many":              {rssFeed("</font>" + good + "</p>"), want},
		"a tag that is cut":                {"<rss version='2.0'><channel><item" + "><title>A</title ></item></channel></rss", "|A|"},
		"no end of RSS":                    {strings.TrimSuffix(rssFeed(good), "</rss>"), want},
		"no channel":                       {"<rss><item><title>A</title></item></rss>", "|A|"},
		"HTML that is not escaped":         {rssFeed("<title>A</title><description><p>one<br>two<img src=x></p><link rel=x href='https://no.example'></description><link>https://e.org/1</link>"), want},
		"entities that it declares":        {`<!DOCTYPE rss [<!ENTITY who "Ann"><!ENTITY dash '&#8211;'>]>` + title("&who; &dash; B"), "|Ann – B|"},
		"entities that grow":               {`<!DOCTYPE rss [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]>` + title("&a; &b;"), "|lol &b;|"},
		"entities of files":                {`<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + title("&a;"), "|&a;|"},
		"a document type of old":           {`<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/publish/formats/rss-0.91.dtd">` + rssFeed(good), want},
		"a default namespace that is none": {strings.Replace(rssFeed(good), "<rss ", "<rss xmlns='urn:x' ", 1), want},
		"Atom's namespace on RSS":          {strings.Replace(rssFeed(good), "<rss ", "<rss xmlns='http://www.w3.org/2005/Atom' ", 1), want},
		"a feed within a page":             {"<!DOCTYPE html><html><body>" + atomFeed("<title>A</title><link href='https://e.org/1'/>") + "</body></html>", want},
	} {
		got := listed("", c.body)
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if !utf8.ValidString(got) {
			t.Errorf("%s: no UTF-8", name)
		}
	}
}

func TestEveryFormatIsRead(t *testing.T) {
	const want = "|A|https://e.org/1"
	for name, c := range map[string]struct{ body, want string }{
		"RSS 0.90":            {`<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://my.netscape.com/rdf/simple/0.9/"><channel><title>t</title></channel><item><title>A</title><link>https://e.org/1</link></item></rdf:RDF>`, want},
		"RSS 1.0":             {`<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"><channel rdf:about="x"><items><rdf:Seq><rdf:li resource="y"/></rdf:Seq></items></channel><item rdf:about="https://e.org/1"><title>A</title></item></rdf:RDF>`, "https://e.org/1|A|https://e.org/1"},
		"RSS 1.0, prefixed":   {`<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:s="http://purl.org/rss/1.0/"><s:channel/><s:item><s:title>A</s:title><s:link>https://e.org/1</s:link></s:item></r:RDF>`, want},
		"RSS 1.1":             {`<Channel xmlns="http://purl.org/net/rss1.1#"><title>t</title><items><item><title>A</title><link>https://e.org/1</link></item></items></Channel>`, want},
		"RSS 2.0, prefixed":   {`<rss version="2.0" xmlns:r="http://backend.userland.com/rss2"><r:channel><r:item><r:title>A</r:title><r:link>https://e.org/1</r:link></r:item></r:channel></rss>`, want},
		"Atom 1.0, prefixed":  {`<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:entry><a:id>i</a:id><a:title>A</a:title><a:link href="https://e.org/1"/></a:entry></a:feed>`, "i" + want},
		"Atom 0.3":            {`<feed version="0.3" xmlns="http://purl.org/atom/ns#"><entry><id>i</id><title mode="escaped" type="text/html">&lt;b>A&lt;/b></title><link rel="alternate" type="text/html" href="https://e.org/1"/></entry></feed>`, "i" + want},
		"Atom, no namespace":  {`<feed><entry><title>A</title><link>https://e.org/1</link></entry></feed>`, want},
		"an entry of Atom":    {`<entry xmlns="http://www.w3.org/2005/Atom"><title>A</title><link href="https://e.org/1"/></entry>`, want},
		"CDF":                 {`<CHANNEL><TITLE>t</TITLE><ITEM HREF="https://e.org/1" LASTMOD="2026-11-23"><TITLE>A</TITLE></ITEM></CHANNEL>`, want},
		"titles of others":    {rssFeed(`<media:title xmlns:media="http://search.yahoo.com/mrss/">A</media:title><link>https://e.org/1</link>`), want},
		"dc by another name":  {`<rss xmlns:d="http://purl.org/dc/elements/1.1/"><channel><item><d:title>A</d:title><link>https://e.org/1</link></item></channel></rss>`, want},
		"a title of an image": {rssFeed(`<image><title>no</title></image><title>A</title><link>https://e.org/1</link>`), want},
	} {
		if got := listed("", c.body); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestATitleIsTheTextThatItMeans(t *testing.T) {
	for title, want := range map[string]string{
		`The &lt;b&gt; tag explained`:                         "The <b> tag explained",
		`<![CDATA[The <b> tag explained]]>`:                   "The <b> tag explained",
		`<![CDATA[<b>New</b> &amp; good]]>`:                   "New & good",
		`&lt;b&gt;New&lt;/b&gt;`:                              "New",
		`Vec&lt;String&gt; and &lt;T&gt;&lt;/T&gt;`:           "Vec<String> and <T></T>",
		`a &lt; b &amp;&amp; c &gt; d`:                        "a < b && c > d",
		`AT&amp;amp;T`:                                        "AT&T",
		`AT&amp;T`:                                            "AT&T",
		`<![CDATA[one]]> and <![CDATA[two]]>`:                 "one and two",
		`<b>New</b> <i>one</i>`:                               "New one",
		"two\n\t lines":                                       "two lines",
		`<![CDATA[a]]]]><![CDATA[>b]]>`:                       "a]]>b",
		`use &amp;nbsp; or &amp;foo; for it`:                  "use &nbsp; or &foo; for it",
		`<script>x</script>visible`:                           "visible",
		`if a &amp;lt; b`:                                     "if a < b",
		`&#x3C;noscript&#x3E; without an end`:                 "<noscript> without an end",
		`<![CDATA[<a href="https://e.org">Linked</a>]]>`:      "Linked",
		`PHP&#8217;s &lt;?php tag`:                            "PHP’s <?php tag",
		`<span xmlns="http://www.w3.org/1999/xhtml">A</span>`: "A",
	} {
		if got := listed("", rssFeed("<title>"+title+"</title><link>https://e.org/1</link>")); got != "|"+want+"|https://e.org/1" {
			t.Errorf("RSS %s: %q, want %q", title, got, want)
		}
	}
	for title, want := range map[string]string{
		`<title>a &lt;b&gt;x&lt;/b&gt;</title>`:                                                             "a <b>x</b>",
		`<title type="text">AT&amp;amp;T &lt;br&gt;</title>`:                                                "AT&amp;T <br>",
		`<title type="html">a &lt;b&gt;x&lt;/b&gt; &amp;lt;br&amp;gt;</title>`:                              "a x <br>",
		`<title type="html"><![CDATA[a <b>x</b>]]></title>`:                                                 "a x",
		`<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">a <b>x</b> &lt;br&gt;</div></title>`: "a x <br>",
		`<title type="xhtml"><h:div xmlns:h="http://www.w3.org/1999/xhtml"><h:p>a</h:p>b</h:div></title>`:   "a b",
		`<title type="text/html" mode="base64">PGI+eDwvYj4=</title>`:                                        "x",
		`<title type="text/plain">&lt;x&gt;</title>`:                                                        "<x>",
	} {
		if got := listed("", atomFeed(title)); got != "|"+want+"|" {
			t.Errorf("Atom %s: %q, want %q", title, got, want)
		}
	}
}

func TestAnOddFieldOfAJSONFeedCostsThatFieldOnly(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"version 1":                {`{"version":"https://jsonfeed.org/version/1","title":"t","items":[{"id":"1","url":"https://e.org/1","title":"A"}]}`, "1|A|https://e.org/1"},
		"authors that are no list": {`{"version":"https://jsonfeed.org/version/1.1","title":"t","authors":{"name":"x"},"items":[{"id":"1","title":"A","authors":{"name":"x"},"tags":"y"}]}`, "1|A|"},
		"an author that is text":   {`{"version":"https://jsonfeed.org/version/1","author":"x","items":[{"id":"1","title":"A","author":"x"}]}`, "1|A|"},
		"numbers as ids":           {`{"version":"https://jsonfeed.org/version/1.1","items":[{"id":1,"title":"A"},{"id":12345678901234567890,"title":2},{"id":1.5}]}`, "1|A|\n12345678901234567890|2|\n1.5||"},
		"no items":                 {`{"version":"https://jsonfeed.org/version/1.1","title":"t","items":null}`, ""},
		"items are absent":         {`{"version":"https://jsonfeed.org/version/1.1","title":"t"}`, ""},
		"null":                     {`{"version":"https://jsonfeed.org/version/1.1","title":null,"items":[{"id":"1","url":null,"title":null,"date_published":null,"content_text":"x"}]}`, "1||"},
		"an entry that is none":    {`{"version":"https://jsonfeed.org/version/1.1","items":[null,"x",7,[],{"id":"1","title":"A"}]}`, "1|A|"},
		"odd attachments":          {`{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","title":"A","attachments":{"url":"x"},"image":[1]}]}`, "1|A|"},
		"an attachment":            {`{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","title":"A","attachments":[{"url":"https://e.org/1","size_in_bytes":"many"}]}]}`, "1|A|https://e.org/1"},
		"external_url":             {`{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","title":"A","external_url":"https://e.org/1"}]}`, "1|A|https://e.org/1"},
		"url before external_url":  {`{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","title":"A","external_url":"https://no.example","url":"https://e.org/1"}]}`, "1|A|https://e.org/1"},
		"an address as id":         {`{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"https://e.org/1","title":"A"}]}`, "https://e.org/1|A|https://e.org/1"},
		"relative to the site":     {`{"version":"https://jsonfeed.org/version/1.1","home_page_url":"https://e.org/","items":[{"title":"A","url":"1"}]}`, "|A|https://e.org/1"},
		"line breaks in a text":    {"{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[{\"title\":\"A\n\tB\x01\",\"url\":\"https://e.org/1\"}]}", "|A B\ufffd|https://e.org/1"},
		"words after it":           {`{"version":"https://jsonfeed.org/version/1.1","items":[{"title":"A"}]}<!-- 3 ms -->`, "|A|"},
		"a mark before it":         {"\ufeff\n" + `{"version":"https://jsonfeed.org/version/1.1","items":[{"title":"A"}]}`, "|A|"},
		"< as it is":               {`{"version":"https://jsonfeed.org/version/1.1","items":[{"title":"The <b> tag & more"}]}`, "|The <b> tag & more|"},
		"another version":          {`{"version":"1.0","title":"t","items":[{"title":"A"}]}`, "|A|"},
		"no version":               {`{"title":"t","items":[{"title":"A"}]}`, "|A|"},
	} {
		if got := listed("", c.body); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
