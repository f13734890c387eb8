package sim

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"testing/fstest"
)

// Files is a simulated /sys and /proc. A file's content is made when the file is opened,
// which may fail as in the kernel. It is safe for concurrent use.
type Files struct {
	mu    sync.Mutex
	files map[string]func() (string, error)
}

var _ fs.ReadDirFS = (*Files)(nil)

// NewFiles returns an empty file system.
func NewFiles() *Files { return &Files{files: map[string]func() (string, error){}} }

// Put adds a file with a fixed content.
func (f *Files) Put(name, content string) *Files {
	return f.make(name, func() (string, error) { return content, nil })
}

// make adds a file whose content, or error, comes from a function at each Open.
func (f *Files) make(name string, content func() (string, error)) *Files {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.files[name] = content
	return f
}

// Remove removes a file, or a folder with its content.
func (f *Files) Remove(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.files, func(k string, _ func() (string, error)) bool {
		return k == name || strings.HasPrefix(k, name+"/")
	})
}

// Open opens a file or folder.
func (f *Files) Open(name string) (fs.File, error) {
	f.mu.Lock()
	content := f.files[name]
	f.mu.Unlock()
	if content == nil {
		return f.snapshot().Open(name)
	}
	text, err := content()
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return fstest.MapFS{name: {Data: []byte(text)}}.Open(name)
}

// ReadDir lists a folder.
func (f *Files) ReadDir(name string) ([]fs.DirEntry, error) { return f.snapshot().ReadDir(name) }

// snapshot returns the tree with empty files.
func (f *Files) snapshot() fstest.MapFS {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := fstest.MapFS{}
	for _, name := range slices.Sorted(maps.Keys(f.files)) {
		m[path.Clean(name)] = &fstest.MapFile{}
	}
	return m
}
