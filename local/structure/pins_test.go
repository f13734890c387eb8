package structure

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// withoutDigest are images whose registry has told nobody here a digest yet: they have an
// exact version, and `make pin` adds the digest.
var withoutDigest = []string{"ghcr.io/openfaas/of-watchdog"}

// A base image is the same bytes at each build: it has a version for people and a digest.
// Images of the same name are the same everywhere.
func TestBaseImagesArePinned(t *testing.T) {
	from := regexp.MustCompile(`(?m)^FROM (?:--platform=\S+ )?(\S+)(?: AS (\S+))?$`)
	pinned := regexp.MustCompile(`^([a-z0-9./-]+):\d+\.\d+\.\d+(?:-[a-z0-9.]+)?(@sha256:[0-9a-f]{64})?$`)
	seen := map[string]string{}
	for path, text := range dockerfiles(t) {
		stages := []string{"scratch"}
		n := 0
		for _, m := range from.FindAllStringSubmatch(text, -1) {
			n++
			if image := m[1]; !slices.Contains(stages, image) {
				p := pinned.FindStringSubmatch(image)
				switch {
				case p == nil:
					t.Errorf("%s: the image %q has no exact version", path, image)
				case p[2] == "" && !slices.Contains(withoutDigest, p[1]):
					t.Errorf("%s: the image %q has no digest: run make pin", path, image)
				case seen[p[1]] != "" && seen[p[1]] != image:
					t.Errorf("%s: the image %q, elsewhere it is %q", path, image, seen[p[1]])
				default:
					seen[p[1]] = image
				}
			}
			stages = append(stages, m[2])
		}
		if n != strings.Count(text, "\nFROM ")+strings.Count(text[:5], "FROM ") {
			t.Errorf("%s: a line FROM is not of the usual form", path)
		}
	}
	if len(seen) < 3 {
		t.Errorf("only %v were checked", slices.Sorted(maps.Keys(seen)))
	}
}

func dockerfiles(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"edge/Dockerfile", "connectors/*/Dockerfile", "template/*/Dockerfile"} {
		paths, err := filepath.Glob("../../" + pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %v, %v", pattern, paths, err)
		}
		for _, path := range paths {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			out[path] = string(b)
		}
	}
	return out
}

// GitHub's actions are pinned by commit, with the version as a comment.
func TestActionsArePinned(t *testing.T) {
	paths, err := filepath.Glob("../../.github/workflows/*.yml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no workflows: %v", err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, use := range regexp.MustCompile(`uses: .*`).FindAllString(string(b), -1) {
			if !regexp.MustCompile(`^uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`).MatchString(use) {
				t.Errorf("%s: %q is not pinned", path, use)
			}
		}
	}
}
