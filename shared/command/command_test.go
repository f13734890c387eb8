package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// house is a program with a default, a group of commands and one with flags.
func house() *cobra.Command {
	root := &cobra.Command{Use: "house", RunE: func(c *cobra.Command, _ []string) error { return say(c, "default") }}
	open := &cobra.Command{Use: "open DOOR [KEY]", Short: "open a door", Example: "house open front  # the front door\nhouse open back"}
	wide := open.Flags().Bool("wide-open", false, "all the way")
	part := open.Flags().String("part", "", "only this `PART`")
	open.RunE = func(c *cobra.Command, args []string) error {
		switch args[0] {
		case "locked":
			return errors.New("it is locked")
		case "two":
			return InPart(errors.New("one of two is open"))
		}
		return say(c, fmt.Sprintf("%v %t %s", args, *wide, *part))
	}
	lamps := &cobra.Command{Use: "lamps", Short: "the lamps"}
	lamps.AddCommand(&cobra.Command{Use: "on ROOM...", Example: "house lamps on hall", RunE: func(c *cobra.Command, args []string) error { return say(c, fmt.Sprint(args)) }})
	read := &cobra.Command{Use: "read [FILE]", Hidden: true, RunE: func(c *cobra.Command, args []string) error { return say(c, fmt.Sprint(args)) }}
	look := &cobra.Command{Use: "look [ROOM]", Hidden: true, RunE: func(c *cobra.Command, args []string) error { return say(c, fmt.Sprint("look ", args)) }}
	dark := look.Flags().Bool("dark", false, "without light")
	look.AddCommand(&cobra.Command{Use: "under BED", Example: "house look under bed", RunE: func(c *cobra.Command, args []string) error { return say(c, fmt.Sprint("under ", args, *dark)) }})
	root.AddCommand(open, lamps, read, look)
	return Program(root)
}

func say(c *cobra.Command, text string) error {
	_, err := fmt.Fprintln(c.OutOrStdout(), text)
	return err
}

func run(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = Run(context.Background(), house(), args, &o, &e)
	return code, o.String(), e.String()
}

func TestWhatIsAskedForIsDone(t *testing.T) {
	for want, args := range map[string][]string{
		"default\n":                nil,
		"[front] false \n":         {"open", "front"},
		"[front key] true x\n":     {"open", "front", "--wide-open", "key", "--part=x"},
		"[back] true \n":           {"open", "-wide-open", "back"},
		"[back] false y\n":         {"open", "back", "-part", "y"},
		"[-part -wide-open] false": {"open", "--", "-part", "-wide-open"},
		"[back] false -wide-open":  {"open", "back", "--part", "-wide-open"}, // a value, not a flag
		"[back] true --":           {"open", "back", "-part", "--", "-wide-open"},
		"[back] true -part":        {"-part", "-part", "-wide-open", "open", "back"},
		"[-part] false -help":      {"open", "-part=-help", "--", "-part"},
		"[a b c]\n":                {"lamps", "on", "a", "b", "c"},
		"[front] true z\n":         {"--part", "z", "--wide-open", "open", "front"}, // flags before the command
		"[open] false \n":          {"open", "open"},
		"look []\n":                {"look"}, // a command with arguments and commands
		"look [hall]\n":            {"look", "hall"},
		"look [hall]\n ":           {"--dark", "look", "hall"},
		"look [under]\n":           {"look", "--", "under"},
		"under [bed]":              {"look", "under", "bed"},
		"[a -x]\n":                 {"lamps", "on", "a", "--", "-x"},
	} {
		if code, out, errs := run(args...); code != Done || !strings.HasPrefix(out, strings.TrimRight(want, " ")) || errs != "" {
			t.Errorf("%q: %d %q %q, want %q", args, code, out, errs, want)
		}
	}
}

func TestWrongUsageDoesNothingAndSaysWhatToDo(t *testing.T) {
	for want, args := range map[string][]string{
		"house: unknown command \"opne\": did you mean \"open\"?\nsee: house help\n":                          {"opne"},
		"house: unknown command \"x\": there are open, lamps, completion, version, help\nsee: house help\n":   {"x"},
		"house: unknown command \"off\": there are on\nsee: house help lamps\n":                               {"lamps", "off"},
		"house: lamps needs one of its commands: on\nsee: house help lamps\n":                                 {"lamps"},
		"house: open needs DOOR, as in: house open front\nsee: house help open\n":                             {"open"},
		"house: too many arguments: \"c\", \"d\"\nsee: house help open\n":                                     {"open", "a", "b", "c", "d"},
		"house: version takes no arguments: \"now\"\nsee: house help version\n":                               {"version", "now"},
		"house: unknown flag --wide-opne: did you mean --wide-open?\nsee: house help open\n":                  {"open", "a", "--wide-opne"},
		"house: unknown flag -patr: did you mean --part?\nsee: house help open\n":                             {"open", "a", "-patr", "x"},
		"house: --part is given more than once: give it once\nsee: house help open\n":                         {"open", "a", "--part", "x", "--part=x"},
		"house: unknown flag -x\nsee: house help open\n":                                                      {"open", "a", "-x"},
		"house: --part is empty: leave it out, or give it a value\nsee: house help open\n":                    {"open", "a", "--part", ""},
		"house: --part is empty: leave it out, or give it a value\nsee: house help open\n ":                   {"--part=", "open", "a"},
		"house: flag needs an argument: --part\nsee: house help open\n":                                       {"open", "a", "--part"},
		"house: unknown command \"opne\": did you mean \"open\"?\nsee: house help\n ":                         {"help", "opne"},
		"house: unknown shell \"bsh\": did you mean \"bash\"?\nsee: house help completion\n":                  {"completion", "bsh"},
		"house: completion needs SHELL, as in: source <(house completion bash)\nsee: house help completion\n": {"completion"},
		"house: lamps on needs ROOM, as in: house lamps on hall\nsee: house help lamps on\n":                  {"lamps", "on"},
		"house: open needs DOOR, as in: house open front\nsee: house help open\n ":                            {"open", ""},
		"house: unknown command \"opne\": did you mean \"open\"?\nsee: house help\n  ":                        {"opne", "--wide-open"},
		"house: unknown command \"opne\": did you mean \"open\"?\nsee: house help\n   ":                       {"opne", "--part", "x"},
		"house: unknown command \"opne\": did you mean \"open\"?\nsee: house help\n    ":                      {"--part", "x", "opne"},
		"house: unknown command \"opne\": did you mean \"open\"?\nsee: house help\n     ":                     {"opne", "--help"},
		"house: unknown command \"off\": there are on\nsee: house help lamps\n ":                              {"lamps", "off", "--help"},
		"house: unknown command \"off\": there are on\nsee: house help\n":                                     {"help", "lamps", "off"},
		"house: open has no commands of its own: [\"x\"]\nsee: house help\n":                                  {"help", "open", "x"},
		"house: unknown flag --part: it is one of open\nsee: house help\n":                                    {"--part", "x"},
		"house: unknown flag --some\nsee: house help\n":                                                       {"--some", "open"},
		"house: open: KEY is empty: leave it out, or name one\nsee: house help open\n":                        {"open", "a", ""},
		"house: too many arguments: \"b\"\nsee: house help look\n":                                            {"look", "a", "b"},
		"house: look under needs BED, as in: house look under bed\nsee: house help look under\n":              {"look", "under"},
		"house: --wide-open is \"maybe\": write true or false\nsee: house help open\n":                        {"open", "a", "--wide-open=maybe"},
	} {
		if code, out, errs := run(args...); code != Misuse || out != "" || errs != strings.TrimRight(want, " ") {
			t.Errorf("%q: %d %q\n%swant\n%s", args, code, out, errs, want)
		}
	}
}

func TestAFailureHasItsOwnCode(t *testing.T) {
	if code, _, errs := run("open", "locked"); code != Failed || errs != "house: it is locked\n" {
		t.Errorf("%d %q", code, errs)
	}
	if code, _, errs := run("open", "two"); code != Partly || errs != "house: one of two is open\n" {
		t.Errorf("%d %q", code, errs)
	}
	for _, err := range []error{errors.New("a secret"), Wrong(errors.New("a secret")), InPart(errors.New("a secret"))} {
		if got := With(err, "[secret]"); codeOf(got) != codeOf(err) || got.Error() != "[secret]" {
			t.Errorf("%v became %v", err, got)
		}
	}
}

// A command that an interrupt ended is told as stopped, whatever it waited for; what else
// failed is told too.
func TestAnInterruptedCommandWasStopped(t *testing.T) {
	asked := fmt.Errorf("is it running? %w", context.Canceled)
	for _, c := range []struct {
		err  error
		code int
		says string
	}{
		{asked, Failed, "stopped"},
		{InPart(With(asked, "is [secret] running?")), Partly, "stopped"},
		{errors.Join(asked, fmt.Errorf("and: %w", asked)), Failed, "stopped"},
		{&net.OpError{Op: "dial", Err: asked}, Failed, "stopped"},
		{fmt.Errorf("close: %w", errors.Join(asked, errors.New("3 readings are lost"))), Failed, "close: is it running? context canceled\n3 readings are lost"},
		{context.DeadlineExceeded, Failed, "context deadline exceeded"},
		{errors.New("it is locked"), Failed, "it is locked"},
	} {
		for ended, says := range map[bool]string{true: c.says, false: c.err.Error()} {
			ctx, cancel := context.WithCancel(t.Context())
			wait := &cobra.Command{Use: "wait", RunE: func(*cobra.Command, []string) error {
				if ended {
					cancel()
				}
				return c.err
			}}
			var errs bytes.Buffer
			if code := Run(ctx, Program(wait), nil, &bytes.Buffer{}, &errs); code != c.code || errs.String() != "wait: "+says+"\n" {
				t.Errorf("%v (interrupted: %t): %d %q, want %d %q", c.err, ended, code, &errs, c.code, says)
			}
			cancel()
		}
	}
}

// An error may quote what a server answered, and a value what somebody published.
func TestTextsOfOthersCannotControlTheTerminal(t *testing.T) {
	const evil = "\x1b[2J\u009b2J\u202e"
	root := &cobra.Command{Use: "house", RunE: func(c *cobra.Command, _ []string) error {
		return errors.Join(errors.New(evil), Unknown("door", "x", []string{"front", evil + "\nback"}), WriteJSON(c.OutOrStdout(), []string{evil}))
	}}
	var out, errs bytes.Buffer
	Run(context.Background(), Program(root), nil, &out, &errs)
	if want := "house: ·[2J·2J·\nunknown door \"x\": there are front, ·[2J·2J· back\n"; !strings.HasPrefix(errs.String(), want) {
		t.Errorf("%q, want %q", &errs, want)
	}
	var got []string
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || len(got) != 1 || got[0] != evil || strings.ContainsAny(out.String(), "\u009b\u202e") {
		t.Errorf("%v %q", err, &out)
	}
}

// full is a device without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestLostOutputIsAFailure(t *testing.T) {
	for _, args := range [][]string{nil, {"help"}, {"version"}, {"lamps", "on", "a"}, {"completion", "bash"}} {
		var errs bytes.Buffer
		if code := Run(context.Background(), house(), args, full{}, &errs); code != Failed || !strings.Contains(errs.String(), "no space left") {
			t.Errorf("%q: %d %s", args, code, &errs)
		}
	}
}

func TestOnlyAFileIsCompletedWithFiles(t *testing.T) {
	for want, args := range map[string][]string{
		":4\n":                       {"open", ""},
		":4\n ":                      {"open", "--part", ""},
		"--part\tonly this PART\n:4": {"open", "--pa"},
		":0\n":                       {"read", ""},
	} {
		if _, out, _ := run(append([]string{"__complete"}, args...)...); out != strings.TrimSpace(want)+"\n" {
			t.Errorf("%q: %q, want %q", args, out, want)
		}
	}
}

// A server that a completion asks may never answer.
func TestACompletionEndsSoon(t *testing.T) {
	soon := func(c *cobra.Command) string {
		end, limited := c.Context().Deadline()
		return fmt.Sprint("ends soon: ", limited && time.Until(end) <= 2*time.Second)
	}
	for _, args := range [][]string{{"__complete", "ask", ""}, {"__completeNoDesc", "ask", "--of", ""}, {"ask", "x"}} {
		ask := &cobra.Command{Use: "ask WHAT", Example: "house ask x"}
		ask.Flags().String("of", "", "`WHOM`")
		ask.ValidArgsFunction = func(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return []string{soon(c)}, cobra.ShellCompDirectiveNoFileComp
		}
		if err := ask.RegisterFlagCompletionFunc("of", ask.ValidArgsFunction); err != nil {
			t.Fatal(err)
		}
		ask.RunE = func(c *cobra.Command, _ []string) error { return say(c, soon(c)) }
		root := &cobra.Command{Use: "house"}
		root.AddCommand(ask)
		var out, errs bytes.Buffer
		want := "ends soon: true\n:4\n"
		if args[0] == "ask" {
			want = "ends soon: false\n"
		}
		if code := Run(context.Background(), Program(root), args, &out, &errs); code != Done || out.String() != want {
			t.Errorf("%q: %d %q %s", args, code, &out, &errs)
		}
	}
}

func TestHelpIsAskedForInEveryWay(t *testing.T) {
	_, want, _ := run("help", "open")
	for _, args := range [][]string{{"open", "--help"}, {"open", "-h"}, {"open", "-help"}, {"open", "x", "--help"}} {
		if code, out, _ := run(args...); code != Done || out != want {
			t.Errorf("%q: %d %s", args, code, out)
		}
	}
	for _, part := range []string{"Open a door.\n", "Usage: house open DOOR [KEY] [flags]\n", "  --wide-open  all the way\n  --part PART  only this PART\n", "  house open front  # the front door\n"} {
		if !strings.Contains(want, part) {
			t.Errorf("%s\nlacks %s", want, part)
		}
	}
	if _, out, _ := run("help"); !strings.Contains(out, "  open        open a door\n") || !strings.Contains(out, "Exit codes: 0 done") {
		t.Errorf("%s", out)
	}
}

func TestVersionIsWhatTheLinkerNoted(t *testing.T) {
	info := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-11-23T14:00:00Z"}, {Key: "vcs.modified", Value: "true"},
	}}
	var b bytes.Buffer
	if err := built("house", info).write(&b); err != nil || !strings.HasPrefix(b.String(), "house v1.2.3\nrevision  abc of 2026-11-23T14:00:00Z, modified\nbuilt by  go") {
		t.Errorf("%v %s", err, &b)
	}
	for _, args := range [][]string{{"version", "--json"}, {"--version", "--json"}, {"-version", "--json"}, {"--json", "version"}} {
		code, out, _ := run(args...)
		var v version
		if err := json.Unmarshal([]byte(out), &v); err != nil || code != Done || v.Program != "house" || v.Go == "" || v.Platform == "" {
			t.Errorf("%q: %d %v %s", args, code, err, out)
		}
	}
}

func TestLinesAreBrokenBetweenWords(t *testing.T) {
	text := strings.Repeat("word ", 40) + "\n\n  as it is, however long" + strings.Repeat(" it is", 20)
	for i, line := range strings.Split(wrap(text, 10), "\n") {
		if len(line) > width-10 && !strings.HasPrefix(line, "  ") || strings.Contains(line, "wordword") {
			t.Errorf("line %d: %q", i, line)
		}
	}
}

func TestOneThingIsSingular(t *testing.T) {
	for n, want := range []string{"0 readings", "1 reading", "2 readings"} {
		if got := Count(n, "reading"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
