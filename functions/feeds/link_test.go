package function

import (
	"strings"
	"testing"
)

func TestAnEntryHasALinkIfAnythingLinksIt(t *testing.T) {
	const e = "https://e.org/1"
	for entry, want := range map[string]string{
		`<link>https://e.org/1</link><guid>https://e.org/g</guid>`: e,
		`<link> https://e.org/1
		</link>`: e,
		`<link/><guid>https://e.org/1</guid>`:                                                    e,
		`<guid isPermaLink="true">https://e.org/1</guid>`:                                        e,
		`<guid isPermaLink="false">https://e.org/1</guid>`:                                       "",
		`<guid>1234</guid>`:                                                                      "",
		`<guid isPermaLink="true">/1</guid>`:                                                     "https://feeds.example.org/1",
		`<atom:link xmlns:atom="http://www.w3.org/2005/Atom" href="https://e.org/1"/>`:           e,
		`<a10:link href="https://e.org/1"/>`:                                                     e,
		`<x:link xmlns:x="http://www.w3.org/2005/Atom" rel="alternate" href="https://e.org/1"/>`: e,
		`<atom:link rel="self" href="https://e.org/s"/><guid>https://e.org/1</guid>`:             e,
		`<link href="https://e.org/1"/>`:                                                         e,
		`<feedburner:origLink>https://e.org/1</feedburner:origLink>`:                             e,
		`<enclosure url="https://e.org/1" type="audio/mpeg"/>`:                                   e,
		`<enclosure url="https://e.org/a.mp3"/><guid>https://e.org/1</guid>`:                     e,
		`<media:content url="https://e.org/1"/>`:                                                 e,
		`<link>javascript:alert(1)</link><guid>https://e.org/1</guid>`:                           e,
		`<link>mailto:a@e.org</link>`:                                                            "",
		`<link>/1</link>`:                                                                        "https://feeds.example.org/1",
		`<link>1</link>`:                                                                         "https://feeds.example.org/list/1",
		`<link>//e.org/1</link>`:                                                                 e,
		`<link xml:base="https://e.org/a/">../1</link>`:                                          e,
		`<link><![CDATA[https://e.org/1]]></link>`:                                               e,
		`<link>https://e.org/1?a=1&amp;b=2</link>`:                                               e + "?a=1&b=2",
		`<link>https://e.org/1?a=1&amp;amp;b=2&amp;amp;c=3</link>`:                               e + "?a=1&b=2&c=3",
		`<link><![CDATA[https://e.org/1?a=1&amp;b=2]]></link>`:                                   e + "?a=1&b=2",
		`<guid>https://e.org/1?a=1&amp;amp;b=2</guid>`:                                           e + "?a=1&b=2",
		`<enclosure url="https://e.org/1?a=1&amp;amp;b=2"/>`:                                     e + "?a=1&b=2",
		`<link>https://e.org/1?a=%26amp%3B</link>`:                                               e + "?a=%26amp%3B",
		`<link>https://user:s3cr3t@e.org/1</link>`:                                               e,
		`<link>https://e.org/100%-off%2Fx%zz%4</link>`:                                           e + "00%25-off%2Fx%25zz%254",
		`<link>100%</link>`:                                                                      "https://feeds.example.org/list/100%25",
		`<link>https://e.org/a b</link>`:                                                         "https://e.org/a%20b",
		`<link>https://bücher.example/ü</link>`:                                                  "https://xn--bcher-kva.example/%C3%BC",
	} {
		if _, got, _ := strings.Cut(listed("", rssFeed("<title>A</title>"+entry)), "|A|"); got != want {
			t.Errorf("RSS %s: %q, want %q", entry, got, want)
		}
	}
	for entry, want := range map[string]string{
		`<id>https://e.org/1</id>`:                     e,
		`<id>urn:uuid:1</id>`:                          "",
		`<id>urn:1</id><link href="https://e.org/1"/>`: e,
		`<link rel="self" href="https://e.org/s"/><link rel="alternate" href="https://e.org/1"/>`:                               e,
		`<link rel="alternate" type="application/json" href="https://e.org/j"/><link type="text/html" href="https://e.org/1"/>`: e,
		`<link rel="alternate" type="application/json" href="https://e.org/1"/>`:                                                e,
		`<link rel="edit" href="https://e.org/edit"/><id>https://e.org/1</id>`:                                                  e,
		`<link rel="enclosure" href="https://e.org/1"/><id>urn:1</id>`:                                                          e,
		`<link rel="ALTERNATE" href="https://e.org/1"/>`:                                                                        e,
		`<content src="https://e.org/1"/>`:                                                                                      e,
		`<link href="1" xml:base="https://e.org/"/>`:                                                                            e,
		`<link href="1"/>`: "https://feeds.example.org/list/1",
	} {
		if _, got, _ := strings.Cut(listed("", atomFeed("<title>A</title>"+entry)), "|A|"); got != want {
			t.Errorf("Atom %s: %q, want %q", entry, got, want)
		}
	}
	for body, want := range map[string]string{
		`<rss><channel><link>https://site.example/blog/</link><item><link>1</link></item></channel></rss>`:                                                         "https://site.example/blog/1",
		`<rss><channel><link>/blog/</link><item><link>1</link></item></channel></rss>`:                                                                             "https://feeds.example.org/blog/1",
		`<rss xml:base="https://b.example/x/"><channel><link>https://site.example/</link><item><link>1</link></item></channel></rss>`:                              "https://b.example/x/1",
		`<feed xml:base="https://b.example/x/" xmlns="http://www.w3.org/2005/Atom"><entry xml:base="y/"><link href="1"/></entry></feed>`:                           "https://b.example/x/y/1",
		`<feed xml:base="/x/"><link href="https://site.example/"/><entry><link href="1"/></entry></feed>`:                                                          "https://feeds.example.org/x/1",
		`<rss><channel><atom:link rel="self" href="https://other.example/feed"/><item><link>/1</link></item></channel></rss>`:                                      "https://feeds.example.org/1",
		`<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><channel><link>https://s.example</link></channel><item><link>/1</link></item></rdf:RDF>`: "https://s.example/1",
	} {
		if got := listed("", body); got[strings.LastIndex(got, "|")+1:] != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}
