// Command dashboards writes deploy/grafana: dashboards, data sources and alert rules
// for Grafana, made from the catalogue. With --check it writes nothing and fails if a
// committed file is out of date. Measurements of the hearth.yml beside stack.yml get a
// dashboard of their own, own.json, which is not committed.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/mapping"
)

func main() {
	log.SetFlags(0)
	root := flag.String("root", ".", "the folder of stack.yml")
	check := flag.Bool("check", false, "write nothing, and name the files that are out of date")
	flag.Parse()
	if err := run(*root, *check, os.Stdout); err != nil {
		log.Fatal("dashboards: ", err)
	}
}

const folder = "deploy/grafana"

// ownFile is the dashboard of the measurements of hearth.yml, the only file that is not
// committed.
const ownFile = "dashboards/own.json"

// run writes what is not up to date, and names it in out. With check it returns an
// error that names it.
func run(root string, check bool, out io.Writer) error {
	files, err := generate()
	if err != nil {
		return err
	}
	if !check {
		own, err := ownMeasurements(filepath.Join(root, "hearth.yml"))
		if err != nil {
			return err
		}
		if files[ownFile], err = ownDashboard(own); err != nil {
			return err
		}
	}
	stale, err := outdated(filepath.Join(root, folder), files)
	if err != nil {
		return err
	}
	if check && len(stale) > 0 {
		return fmt.Errorf("out of date in %s: %s; run make dashboards", folder, strings.Join(stale, ", "))
	}
	for _, name := range stale {
		did, path := "wrote", filepath.Join(root, folder, name)
		var err error
		switch {
		case files[name] != nil:
			err = write(path, files[name])
		case name == ownFile:
			did, err = "removed", os.Remove(path)
		default:
			did = "left as it is, since it is not made from the catalogue:"
		}
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, did, filepath.Join(folder, name)); err != nil {
			return err
		}
	}
	return nil
}

// outdated returns the names of the files that differ from those in dir, also of
// dashboards there that are not generated. A file without text must not exist.
func outdated(dir string, files map[string][]byte) ([]string, error) {
	there, err := filepath.Glob(filepath.Join(dir, "dashboards", "*.json"))
	if err != nil {
		return nil, err
	}
	for _, p := range there {
		if name := "dashboards/" + filepath.Base(p); name != ownFile && files[name] == nil {
			files[name] = nil
		}
	}
	var stale []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		if exists := err == nil; exists != (files[name] != nil) || !bytes.Equal(text, files[name]) {
			stale = append(stale, name)
		}
	}
	return stale, nil
}

func write(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

// ownMeasurements returns the measurements that hearth.yml adds or extends; none
// without the file.
func ownMeasurements(path string) ([]catalogue.Measurement, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	set, err := mapping.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return set.Measurements(), nil
}
