package function

import (
	"strings"
	"testing"
	"time"
)

// TestDates: testdata/dates.tsv has the dates of four peers' tests and others of their kinds.
func TestDates(t *testing.T) {
	for line := range strings.Lines(read(t, "dates.tsv")) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		s, want, ok := strings.Cut(line, "\t")
		if !ok {
			t.Fatalf("%q has no tab", line)
		}
		got := "no"
		if d, ok := (dates{}).parse(s); ok {
			if got = d.known; got == "" {
				got = d.at.Format(time.RFC3339Nano)
			}
		}
		if got != want {
			t.Errorf("%-60q %s, want %s", s, got, want)
		}
	}
}

// TestTheElementsOfADate: the first one that can be read counts, and that of the publication
// before that of a change.
func TestTheElementsOfADate(t *testing.T) {
	const day = "2024-03-05T10:00:00Z"
	rss := func(elements string) string {
		return `<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:a10="http://www.w3.org/2005/Atom" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/"><channel><title>x</title><pubDate>Mon, 01 Jan 2024 00:00:00 GMT</pubDate><item><title>a</title>` + elements + `</item></channel></rss>`
	}
	atom := func(elements string) string {
		return `<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title><updated>2024-01-01T00:00:00Z</updated><entry><title>a</title><id>a</id>` + elements + `</entry></feed>`
	}
	json := func(fields string) string {
		return `{"version":"https://jsonfeed.org/version/1.1","title":"x","items":[{"id":"a","title":"a",` + fields + `}]}`
	}
	for in, want := range map[string]string{
		rss("<pubDate>" + day + "</pubDate>"):                                               day,
		rss("<PUBDATE>Tue, 05 Mar 2024 10:00:00 GMT</PUBDATE>"):                             day,
		rss("<pubDate>\n  Tue, 05 Mar 2024\n 10:00:00 GMT\n</pubDate>"):                     day,
		rss("<pubDate><![CDATA[Tue, 05 Mar 2024 10:00:00 GMT]]></pubDate>"):                 day,
		rss("<pubDate></pubDate><dc:date>" + day + "</dc:date>"):                            day,
		rss("<pubDate>soon</pubDate><a10:updated>" + day + "</a10:updated>"):                day,
		rss("<dc:date>" + day + "</dc:date><pubDate>Wed, 06 Mar 2024 10:00 GMT</pubDate>"):  "2024-03-06T10:00:00Z",
		rss("<dcterms:modified>" + day + "</dcterms:modified>"):                             day,
		rss("<dcterms:created>" + day + "</dcterms:created>"):                               day,
		rss("<dcterms:issued>" + day + "</dcterms:issued>"):                                 day,
		rss("<dc:created>" + day + "</dc:created>"):                                         day,
		rss("<itunes:pubDate>" + day + "</itunes:pubDate>"):                                 day,
		rss("<prism:publicationDate>" + day + "</prism:publicationDate>"):                   day,
		rss("<published>" + day + "</published>"):                                           day,
		rss("<date>" + day + "</date>"):                                                     day,
		rss("<pubDate>&lt;time datetime=\"" + day + "\"&gt;5 March&lt;/time&gt;</pubDate>"): day,
		rss("<expirationDate>" + day + "</expirationDate>"):                                 "",
		rss(""): "",
		atom("<published>" + day + "</published><updated>2024-03-06T10:00:00Z</updated>"):                               day,
		atom("<updated>2024-03-06T10:00:00Z</updated><published>" + day + "</published>"):                               day,
		atom("<published>soon</published><updated>" + day + "</updated>"):                                               day,
		atom("<modified>" + day + "</modified>"):                                                                        day,
		atom("<issued>" + day + "</issued><modified>2024-03-06T10:00:00Z</modified>"):                                   day,
		atom("<created>" + day + "</created>"):                                                                          day,
		strings.ReplaceAll(atom("<issued>"+day+"</issued>"), "http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#"): day,
		`<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:d="http://purl.org/dc/elements/1.1/"><item><title>a</title><d:date>` + day + `</d:date></item></rdf:RDF>`: day,
		json(`"date_published":"` + day + `"`):                                     day,
		json(`"date_published":null,"date_modified":"` + day + `"`):                day,
		json(`"date_published":"5 March 2024 10:00","date_modified":"2024-03-06"`): day,
		json(`"date_published":1709632800`):                                        day,
	} {
		items, _, err := decodeFeed(answer("", in), watch{})
		if err != nil || len(items) != 1 {
			t.Fatalf("%s: %v, %v", in, items, err)
		}
		got := ""
		if !items[0].At.IsZero() {
			got = items[0].At.Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", in[strings.Index(in, "a</title>")+9:], got, want)
		}
	}
}
