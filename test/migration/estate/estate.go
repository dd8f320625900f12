// Package estate reads the migration fixture, a folder of manifests as a cluster's objects look when they are dumped, and brings
// it to an API server.
//
// Objects of the fixture refer to each other by UID, as dumped ones do: a ReplicaSet says metadata.uid, and the Secret that it
// owns says the same in its owner references. A server gives UIDs itself, so those of the manifests are placeholders: [Apply]
// writes owners first, learns what UID each got, and puts that wherever a later object mentions the placeholder. Everything else
// is written as it stands; a manifest that a server does not take is an error.
package estate

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// Load reads every .yaml file below dir, in the order of their paths, one object for each document; documents of comments only
// are left out. Errors name the file and the number of the document, counted from 1.
func Load(dir string) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		found, err := loadFile(path)
		objects = append(objects, found...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading manifests: %w", err)
	}
	return objects, nil
}

// loadFile reads the documents of one file.
func loadFile(path string) ([]*unstructured.Unstructured, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for n := 1; ; n++ {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: splitting documents: %w", path, err)
		}
		object := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict(document, &object.Object); err != nil {
			return nil, fmt.Errorf("%s: document %d: %w", path, n, err)
		}
		if len(object.Object) == 0 {
			continue
		}
		if object.GetAPIVersion() == "" || object.GetKind() == "" || object.GetName() == "" {
			return nil, fmt.Errorf("%s: document %d: apiVersion, kind or metadata.name is missing", path, n)
		}
		objects = append(objects, object)
	}
}

// Name tells an object for people: "Kind namespace/name", or "Kind name" where it has no namespace.
func Name(object *unstructured.Unstructured) string {
	return object.GetKind() + " " + strings.TrimPrefix(object.GetNamespace()+"/"+object.GetName(), "/")
}
