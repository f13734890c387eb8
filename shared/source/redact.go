package source

import (
	"strings"

	"github.com/hearth-home/hearth/shared/config"
)

// hideSecrets redacts the secrets that an upstream has repeated in its answer. A link that
// has one loses its query. The name of the target stays, even if it is also a secret: the owner
// chose it, and under another name its readings would be another series.
func (x *runner) hideSecrets(f *result) {
	if all := f.texts(); x.env.Secrets.Redact(all) == all {
		return
	}
	for i := range f.Items {
		it := &f.Items[i]
		it.ID, it.Title, it.URL = x.env.Secrets.Redact(it.ID), x.env.Secrets.Redact(it.Title), x.publicLink(it.URL)
		x.hideIn(it.Attributes, f.target)
	}
	for _, r := range f.Readings {
		x.hideIn(r.Tags, f.target)
		x.hideIn(r.Text, f.target)
	}
}

func (x *runner) hideIn(texts map[string]string, target string) {
	for k, v := range texts {
		if v != target {
			texts[k] = x.env.Secrets.Redact(v)
		}
	}
}

// publicLink returns link, without its query if that has a secret, and "" if the rest has one.
func (x *runner) publicLink(link string) string {
	if x.env.Secrets.Redact(link) == link {
		return link
	}
	u, err := config.URL(link)
	if err != nil {
		return ""
	}
	if link = config.Address(u); x.env.Secrets.Redact(link) != link {
		return ""
	}
	return link
}

// texts returns all texts of the readings and items in one.
func (f *result) texts() string {
	var b strings.Builder
	add := func(texts ...string) {
		for _, t := range texts {
			b.WriteString(t)
			b.WriteByte(0)
		}
	}
	for _, it := range f.Items {
		add(it.ID, it.Title, it.URL)
		for _, v := range it.Attributes {
			add(v)
		}
	}
	for _, r := range f.Readings {
		for _, v := range r.Tags {
			add(v)
		}
		for _, v := range r.Text {
			add(v)
		}
	}
	return b.String()
}
