package page

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"slices"

	"github.com/hearth-home/hearth/shared/page/glance"
	"github.com/hearth-home/hearth/shared/page/texts"
)

//go:embed noview.html
var noViewMarkup string

var noViewTemplate = template.Must(template.New("noview").Funcs(texts.Funcs).Funcs(template.FuncMap{"asset": assetURL}).Parse(noViewMarkup))

// unknownView answers with the views that there are if the one of an address is none of them.
func (p *Page) unknownView(w http.ResponseWriter, v glance.View) bool {
	known := p.Glance.Views()
	if v.Name == "" || slices.Contains(known, v.Name) {
		return false
	}
	var b bytes.Buffer
	name := []rune(v.Name)
	if err := noViewTemplate.Execute(&b, struct {
		Name  string
		Views []string
	}{string(name[:min(len(name), 40)]), known}); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return true
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	w.Write(b.Bytes())
	return true
}
