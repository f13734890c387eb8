package intake

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hearth-home/hearth/shared/topic"
)

func TestAFilterCoversAnother(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"a/b", "a/b", true}, {"a/b", "a/c", false}, {"a/+", "a/b", true}, {"a/b", "a/+", false}, {"a/+", "a/+", true}, {"a/+", "a/b/c", false}, {"a/+", "a/", true},
		{"a/#", "a", true}, {"a/#", "a/b/c", true}, {"a/#", "a/+", true}, {"a/#", "a/+/#", true}, {"a/+/#", "a/#", false}, {"a/#", "b/#", false}, {"a/#", "+/#", false},
		{"hearth/#", "hearth/+/status", true}, {"hearth/+/status", "hearth/#", false}, {"+/+/status", "hearth/+/status", true},
		{"#", "a/b", true}, {"#", "+", true}, {"#", "+/#", true}, {"+/#", "#", true}, {"+/#", "+", true}, {"+", "#", false}, {"+/+/#", "#", false}, {"+", "a", true},
		{"#", "$SYS/#", false}, {"#", "$SYS", false}, {"+/#", "$SYS/x", false}, {"+/x", "$SYS/x", false}, {"$SYS/#", "$SYS/+", true}, {"$SYS/#", "#", false}, {"$SYS/#", "$SYS", true},
		{"/+", "/x", true}, {"+", "/x", false}, {"+/+", "/x", true}, {"/#", "/", true}, {"+/+/#", "/#", true}, {"/+/#", "/#", true}, {"/+", "/#", false}, {"a", "a/", false}, {"a/", "a", false},
	} {
		if got := covers(tc.a, tc.b); got != tc.want {
			t.Errorf("covers(%q, %q) = %v, want %v", tc.a, tc.b, got, tc.want)
		}
	}
}

var levels = []string{"", "a", "b", "$x"}

func filters() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		f := rapid.SliceOfN(rapid.SampledFrom(append([]string{"+"}, levels...)), 0, 4).Draw(t, "levels")
		if len(f) == 0 || rapid.Bool().Draw(t, "hash") {
			f = append(f, "#")
		}
		return strings.Join(f, "/")
	}).Filter(func(f string) bool { return f != "" })
}

// witnesses returns topics that a filter matches. Its wildcards are replaced by levels
// that are in no other filter.
func witnesses(filter string) (topics []string) {
	name := strings.ReplaceAll(filter, "+", "new")
	for _, rest := range []string{"", "new", "new/new", "new/new/new/new/new/new"} {
		if topic, hash := strings.CutSuffix(name, "#"); !hash {
			topics = append(topics, name)
		} else if rest != "" {
			topics = append(topics, topic+rest)
		} else if topic != "" {
			topics = append(topics, strings.TrimSuffix(topic, "/"))
		}
	}
	return slices.DeleteFunc(topics, func(s string) bool { return !topic.Match(filter, s) })
}

// TestCoversAgreesWithMatching: a covers b if and only if a matches every topic that b
// matches, among random topics and the witnesses of b.
func TestCoversAgreesWithMatching(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := filters().Draw(t, "a"), filters().Draw(t, "b")
		topics := witnesses(b)
		for range 20 {
			topics = append(topics, strings.Join(rapid.SliceOfN(rapid.SampledFrom(levels), 1, 5).Draw(t, "topic"), "/"))
		}
		all := true
		for _, name := range topics {
			all = all && (!topic.Match(b, name) || topic.Match(a, name))
		}
		if covers(a, b) != all {
			t.Fatalf("covers(%q, %q) = %v, but a matches all topics of b: %v, among %q", a, b, !all, all, topics)
		}
	})
}

func TestTheWidestFiltersMatchTheSameTopics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(filters(), 1, 8).Draw(t, "filters")
		few := widest(all)
		for i, f := range few {
			for j, g := range few {
				if i != j && covers(f, g) {
					t.Fatalf("%q of %q: %q covers %q", few, all, f, g)
				}
			}
		}
		for _, f := range all {
			if !slices.ContainsFunc(few, func(g string) bool { return covers(g, f) }) {
				t.Fatalf("%q, the widest of %q, do not cover %q", few, all, f)
			}
		}
	})
}
