package browser

import "path/filepath"

// Shot is a picture of a page. One that is narrower than 500 pixels shows the whole page, as a
// phone scrolls it.
type Shot struct {
	Name          string // of the file, without .png
	Width, Height int    // of the window, in CSS pixels
	Dark          bool
	Query         string
	Prepare       string // script
	Ready         string // what is true when the picture is to be taken; "": at once
}

// Take writes pictures of the page at an address into a folder.
func (b *Browser) Take(address, dir string, shots ...Shot) {
	b.t.Helper()
	b.Do("Emulation.setScrollbarsHidden", map[string]any{"hidden": true}, nil)
	for _, shot := range shots {
		b.Dark(shot.Dark)
		b.Resize(shot.Width, shot.Height)
		b.Go(address + shot.Query)
		if shot.Prepare != "" {
			b.Eval(shot.Prepare + "; 1")
		}
		if shot.Ready != "" {
			b.Until("!!" + shot.Ready)
		}
		b.Eval("new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r))).then(() => { window.drawn = true; }); 1")
		b.Until("window.drawn === true")
		b.Screenshot(filepath.Join(dir, shot.Name+".png"), shot.Width < 500)
	}
}
