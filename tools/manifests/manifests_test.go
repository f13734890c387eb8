// Package manifests checks deploy/k3s with the types of Kubernetes itself, which are too
// many dependencies for hearth's own module.
package manifests

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

const folder = "../../deploy/k3s"

// object is one document of a manifest, decoded. A field that Kubernetes does not know, or
// a value of another type, fails the test.
type object struct {
	file, kind, name string
	pod              *corev1.PodSpec // or nil
	kept             []corev1.PersistentVolumeClaim
	value            any
}

func objects(t *testing.T) (all []object) {
	t.Helper()
	files, err := filepath.Glob(folder + "/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, doc := range regexp.MustCompile(`(?m)^---\n`).Split(string(b), -1) {
			o, err := decode([]byte(doc))
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			o.file = filepath.Base(file)
			all = append(all, o)
		}
	}
	return all
}

func decode(doc []byte) (object, error) {
	var head struct {
		APIVersion, Kind string
		Metadata         struct{ Name, Namespace string }
	}
	if err := yaml.Unmarshal(doc, &head); err != nil {
		return object{}, err
	}
	o := object{kind: head.Kind, name: head.Metadata.Name}
	switch head.APIVersion + " " + head.Kind {
	case "v1 Namespace":
		o.value = &corev1.Namespace{}
	case "v1 Service":
		o.value = &corev1.Service{}
	case "v1 ConfigMap":
		o.value = &corev1.ConfigMap{}
	case "v1 PersistentVolumeClaim":
		o.value = &corev1.PersistentVolumeClaim{}
	case "apps/v1 StatefulSet":
		s := &appsv1.StatefulSet{}
		o.value, o.pod = s, &s.Spec.Template.Spec
	case "apps/v1 DaemonSet":
		s := &appsv1.DaemonSet{}
		o.value, o.pod = s, &s.Spec.Template.Spec
	case "apps/v1 Deployment":
		s := &appsv1.Deployment{}
		o.value, o.pod = s, &s.Spec.Template.Spec
	default:
		return o, fmt.Errorf("unknown kind %q %q", head.APIVersion, head.Kind)
	}
	if err := yaml.UnmarshalStrict(doc, o.value); err != nil {
		return o, fmt.Errorf("%s %s: %w", o.kind, o.name, err)
	}
	if s, ok := o.value.(*appsv1.StatefulSet); ok {
		o.kept = s.Spec.VolumeClaimTemplates
	}
	if head.Metadata.Namespace == "" && head.Kind != "Namespace" {
		return o, fmt.Errorf("%s %s: no namespace", o.kind, o.name)
	}
	return o, nil
}

func TestEveryManifestIsWhatKubernetesKnows(t *testing.T) {
	pods := 0
	for _, o := range objects(t) {
		if o.pod == nil {
			continue
		}
		pods++
		var volumes []string
		for _, v := range o.pod.Volumes {
			volumes = append(volumes, v.Name)
		}
		for _, v := range o.kept {
			volumes = append(volumes, v.Name)
		}
		for _, c := range o.pod.Containers {
			for _, m := range c.VolumeMounts {
				if !slices.Contains(volumes, m.Name) {
					t.Errorf("%s: %s mounts %s, which is no volume", o.file, c.Name, m.Name)
				}
			}
			if c.Resources.Limits.Memory().IsZero() {
				t.Errorf("%s: %s has no limit of memory", o.file, c.Name)
			}
		}
	}
	if pods < 5 {
		t.Errorf("only %d pods were checked", pods)
	}
}

// What each pod may do. The device plugin is privileged, and the edge agent of a node is
// user 0 without any capability; edge-devices.yaml and edge-daemonset.yaml say why.
func TestPodsMayDoLittle(t *testing.T) {
	for _, o := range objects(t) {
		if o.pod == nil {
			continue
		}
		if a := o.pod.AutomountServiceAccountToken; a == nil || *a {
			t.Errorf("%s: the token of the service account is mounted", o.file)
		}
		if o.pod.HostNetwork || o.pod.HostPID || o.pod.HostIPC {
			t.Errorf("%s: the pod shares the host's namespaces", o.file)
		}
		for _, c := range o.pod.Containers {
			for _, lacks := range lax(o.pod, c) {
				if o.name == "hearth-edge-devices" && lacks != "readOnlyRootFilesystem" || o.name == "hearth-edge" && lacks == "runAsNonRoot" {
					continue
				}
				t.Errorf("%s: %s lacks %s", o.file, c.Name, lacks)
			}
		}
	}
}

// lax returns the usual limits that a container lacks.
func lax(p *corev1.PodSpec, c corev1.Container) (lacks []string) {
	s, pod := c.SecurityContext, p.SecurityContext
	if s == nil {
		s = &corev1.SecurityContext{}
	}
	if pod == nil {
		pod = &corev1.PodSecurityContext{}
	}
	is := func(name string, v *bool, want bool) {
		if v == nil || *v != want {
			lacks = append(lacks, name)
		}
	}
	is("allowPrivilegeEscalation: false", s.AllowPrivilegeEscalation, false)
	is("readOnlyRootFilesystem", s.ReadOnlyRootFilesystem, true)
	is("runAsNonRoot", pod.RunAsNonRoot, true)
	if s.Privileged != nil && *s.Privileged {
		lacks = append(lacks, "privileged: false")
	}
	if s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 {
		lacks = append(lacks, "capabilities: {drop: [ALL]}")
	}
	if pod.SeccompProfile == nil || pod.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		lacks = append(lacks, "seccompProfile RuntimeDefault")
	}
	return lacks
}

// Images of others have a version. hearth's own have the tag that the user publishes.
func TestImagesHaveAVersion(t *testing.T) {
	version := regexp.MustCompile(`^[a-z.]+/[a-z/-]+:\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?$`)
	for _, o := range objects(t) {
		if o.pod == nil {
			continue
		}
		for _, c := range o.pod.Containers {
			if !strings.HasPrefix(c.Image, "ghcr.io/hearth-home/hearth-") && !version.MatchString(c.Image) {
				t.Errorf("%s: the image %q has no registry and exact version", o.file, c.Image)
			}
		}
	}
}
