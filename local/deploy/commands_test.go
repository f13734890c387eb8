package deploy

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/testserver/tool"
)

// checkCalls checks the recorded commands of a page: they name what there is.
func checkCalls(t *testing.T, page string, calls [][]string) {
	t.Helper()
	for _, c := range calls {
		name, args := c[0], c[1:]
		var wrong string
		switch name {
		case "make":
			wrong = checkMake(t, args)
		case "kubectl":
			wrong = checkKubectl(t, args)
		case "faas-cli":
			wrong = checkFaas(args)
		case "hearth", ".bin/hearth", "hearth-edge":
			wrong = checkHearth(t, filepath.Base(name), args)
		case "ctr":
			if i := slices.Index(args, "/mqtt"); i >= 0 {
				wrong = checkHearth(t, "hearth", args[i+1:])
			}
		case "docker", "go":
			for i, a := range args {
				if (a == "-f" || a == "run") && i+1 < len(args) && !exists(args[i+1]) {
					wrong = "there is no " + args[i+1]
				}
			}
		}
		if wrong != "" {
			t.Errorf("%s: %s: %s", page, strings.Join(c, " "), wrong)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(filepath.Join(root, path))
	return err == nil
}

// checkMake lets make itself say whether the target exists, and looks for the variables.
func checkMake(t *testing.T, args []string) string {
	t.Helper()
	makefile := read(t, "Makefile")
	known := settings(t)
	for _, a := range args {
		if v, _, ok := strings.Cut(a, "="); ok {
			if !known[v] && !regexp.MustCompile(`[($,$]`+v+`[),=]|\b`+v+` \?=|\b`+v+`=`).MatchString(makefile) {
				return "make knows no variable " + v
			}
		} else if !strings.Contains(makefile, "\n"+a+": ") {
			return "make knows no target " + a
		}
	}
	cmd := exec.Command("make", append([]string{"-n", "-C", root}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return err.Error() + ": " + string(out)
	}
	return ""
}

var kubectlVerbs = []string{"annotate", "apply", "cordon", "create", "delete", "exec", "get", "label", "logs", "patch", "port-forward", "rollout", "taint"}

func checkKubectl(t *testing.T, args []string) string {
	t.Helper()
	if len(args) == 0 || !slices.Contains(kubectlVerbs, args[0]) {
		return "unknown verb"
	}
	for i, a := range args {
		value, isFile := strings.CutPrefix(a, "--from-file=")
		switch {
		case a == "-f" && args[i+1] != "-" && !strings.HasPrefix(args[i+1], "https://"):
			if !strings.HasPrefix(args[i+1], "deploy/k3s/") || !exists(args[i+1]) {
				return "there is no manifest " + args[i+1]
			}
		case a == "-p" && !json.Valid([]byte(args[i+1])):
			return "the patch is no JSON"
		case isFile && strings.Contains(value, "/") && !exists(value):
			return "there is no file " + value
		}
	}
	namespace := slices.Index(args, "-n") + 1
	if strings.HasPrefix(strings.Join(args, " "), "create secret generic ") && args[namespace] != "grafana" {
		name := slices.DeleteFunc(slices.Clone(args[3:]), func(a string) bool { return strings.HasPrefix(a, "-") || a == "hearth" })[0]
		if !slices.Contains(secretNames(t), name) {
			return "nothing reads the secret " + name
		}
	}
	if i := slices.Index(args, "/mqtt"); i >= 0 {
		return checkHearth(t, "hearth", args[i+1:])
	}
	return ""
}

var faasVerbs = []string{"build", "deploy", "describe", "invoke", "list", "login", "logs", "publish", "remove", "secret", "up"}

// checkFaas looks for flags in the help of faas-cli, where that is on the PATH.
func checkFaas(args []string) string {
	if !slices.Contains(faasVerbs, args[0]) {
		return "unknown command"
	}
	cli, err := exec.Command("faas-cli", append(slices.Clone(args[:1]), "--help")...).CombinedOutput()
	if err != nil {
		return "" // not here
	}
	for _, a := range args[1:] {
		flag, _, _ := strings.Cut(a, "=")
		if strings.HasPrefix(flag, "--") && !regexp.MustCompile(flag+`\b`).Match(cli) {
			return "faas-cli has no flag " + flag
		}
	}
	return ""
}

// checkHearth looks for the command and its flags in docs/commands.md, which is made from
// the programs.
func checkHearth(t *testing.T, program string, args []string) string {
	t.Helper()
	page := read(t, "docs/commands.md")
	words := program
	for _, a := range args {
		if strings.Contains(page, "\n### "+words+" "+a+"\n") {
			words += " " + a
		}
	}
	if words == program && program != "hearth-edge" && args[0] != "completion" {
		return "there is no such command"
	}
	_, help, ok := strings.Cut(page, "\n### "+words+"\n")
	if !ok {
		_, help, ok = strings.Cut(page, "\n## "+words+"\n")
	}
	if !ok {
		return "docs/commands.md has no " + words
	}
	help, _, _ = strings.Cut(help, "\n##")
	if strings.Contains(help, "Usage: "+words+" COMMAND") && len(args) > strings.Count(words, " ") {
		return words + " has no such command"
	}
	for _, a := range args {
		if strings.HasPrefix(a, "--") && !strings.Contains(help, a) {
			return words + " has no flag " + a
		}
	}
	return ""
}

// The checks refuse what there is not.
func TestTheChecksOfCommandsRefuse(t *testing.T) {
	tool.Needed(t, "apt-get install make", "make")
	for _, c := range []string{"make nothing", "make up NOTHING=1", "kubectl explode x", "kubectl apply -f deploy/k3s/nothing.yaml", "kubectl patch x -p {a}",
		"kubectl create secret generic nothing -n openfaas", "kubectl create configmap x --from-file=deploy/nothing", "kubectl exec x -- /mqtt dead hide", "faas-cli dance",
		"hearth nothing", "hearth-edge check --nothing", "docker build -f nothing/Dockerfile .", "go run ./nothing"} {
		fields := strings.Fields(c)
		var wrong string
		switch fields[0] {
		case "make":
			wrong = checkMake(t, fields[1:])
		case "kubectl":
			wrong = checkKubectl(t, fields[1:])
		case "faas-cli":
			wrong = checkFaas(fields[1:])
		case "hearth", "hearth-edge":
			wrong = checkHearth(t, fields[0], fields[1:])
		default:
			if i := slices.IndexFunc(fields, func(f string) bool { return strings.HasPrefix(f, "nothing") || f == "./nothing" }); exists(fields[i]) {
				continue
			}
			wrong = "no file"
		}
		if wrong == "" {
			t.Errorf("%s is accepted", c)
		}
	}
}
