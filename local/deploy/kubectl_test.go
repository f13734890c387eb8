package deploy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// kubectl keeps ConfigMaps and Secrets as folders, and starts the broker and the connector
// when their manifests are applied. It accepts everything else.
func kubectl(dir string, args []string) error {
	line := strings.Join(args, " ")
	objects := filepath.Join(dir, "objects")
	switch {
	case strings.HasPrefix(line, "create configmap "):
		return create(filepath.Join(objects, args[2]), args[3:])
	case strings.HasPrefix(line, "create secret generic "):
		return create(filepath.Join(objects, args[3]), args[4:])
	case strings.HasSuffix(line, "deploy/k3s/mosquitto.yaml"):
		b, err := os.ReadFile(args[len(args)-1])
		if err != nil {
			return err
		}
		return applyBroker(dir, b)
	case strings.HasSuffix(line, "apply -f -"):
		b, err := io.ReadAll(os.Stdin)
		if err != nil {
			return err
		}
		if bytes.Contains(b, []byte("name: hearth-slack")) {
			return applySlack(dir, b)
		}
		return applyConnector(dir, b)
	}
	return nil
}

// create makes an object of --from-file and --from-literal.
func create(folder string, args []string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, a := range args {
		if file, ok := strings.CutPrefix(a, "--from-file="); ok {
			b, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(folder, filepath.Base(file)), b, 0o600); err != nil {
				return err
			}
		}
		if literal, ok := strings.CutPrefix(a, "--from-literal="); ok {
			key, value, _ := strings.Cut(literal, "=")
			if err := os.WriteFile(filepath.Join(folder, key), []byte(value), 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

// workload is what is read of a manifest; tools/manifests checks the rest.
type workload struct {
	Kind string
	Spec struct {
		Template struct {
			Spec struct {
				Containers []struct {
					Image string
					Env   []struct{ Name, Value string }
				}
				Volumes []struct {
					Name      string
					Projected struct {
						Sources []struct {
							ConfigMap struct{ Name string } `yaml:"configMap"`
							Secret    struct {
								Name     string
								Optional bool
							}
						}
					}
				}
			}
		}
	}
}

// stateful returns the manifest's StatefulSet.
func stateful(manifest []byte) (w workload, err error) {
	for doc := range bytes.SplitSeq(manifest, []byte("\n---\n")) {
		w = workload{}
		if err := yaml.Unmarshal(doc, &w); err != nil || w.Kind == "StatefulSet" {
			return w, err
		}
	}
	return w, errors.New("no StatefulSet")
}

// project copies the objects of a projected volume to a folder.
func project(dir string, w workload, volume, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, v := range w.Spec.Template.Spec.Volumes {
		if v.Name != volume {
			continue
		}
		for _, s := range v.Projected.Sources {
			from := filepath.Join(dir, "objects", s.ConfigMap.Name+s.Secret.Name)
			err := os.CopyFS(to, os.DirFS(from))
			if err != nil && !s.Secret.Optional && s.Secret.Name != "basic-auth" {
				return fmt.Errorf("%s: %w", s.ConfigMap.Name+s.Secret.Name, err)
			}
		}
	}
	return nil
}

func applyBroker(dir string, manifest []byte) error {
	w, err := stateful(manifest)
	if err != nil {
		return err
	}
	config := filepath.Join(dir, "root/etc/mosquitto")
	if err := project(dir, w, "config", config); err != nil {
		return err
	}
	file := filepath.Join(config, "mosquitto.conf")
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	conf := strings.NewReplacer("/mosquitto/config/", config+"/", "/mosquitto/data/", filepath.Join(dir, "root/var/lib/mosquitto")+"/").Replace(string(b))
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		return err
	}
	return mosquitto(dir)
}

// applySlack looks for the Slack connector's secrets.
func applySlack(dir string, manifest []byte) error {
	w, err := stateful(manifest)
	if err != nil {
		return err
	}
	return project(dir, w, "secrets", filepath.Join(dir, "secrets of slack"))
}

func applyConnector(dir string, manifest []byte) error {
	w, err := stateful(manifest)
	if err != nil {
		return err
	}
	secrets := filepath.Join(dir, "secrets")
	if err := project(dir, w, "secrets", secrets); err != nil {
		return err
	}
	var env []string
	for _, e := range w.Spec.Template.Spec.Containers[0].Env {
		env = append(env, e.Name+"="+e.Value)
	}
	for _, name := range []string{"basic-auth-user", "basic-auth-password"} {
		if err := os.WriteFile(filepath.Join(secrets, name), []byte("x"), 0o600); err != nil {
			return err
		}
	}
	if !slices.Contains(env, "MQTT_USER=hearth-connector") {
		return errors.New("the connector has no user")
	}
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	return startConnector(dir, data, secrets, env)
}
