package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// claim is one test's word that it covers a thing.
type claim struct {
	of thing
	// file is the test's, from the repository's folder, with slashes.
	file, test string
}

// directive begins the lines that claim.
const directive = "//covers:"

// claims reads the comments of all tests, in the order of files and tests.
func claims(root string) ([]claim, error) {
	var found []claim
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && strings.HasPrefix(entry.Name(), "."),
			entry.IsDir() && slices.Contains([]string{"bin", "node_modules", "testdata"}, entry.Name()):
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return fmt.Errorf("naming a file: %w", err)
		}
		of, err := claimsOf(path, filepath.ToSlash(name))
		found = append(found, of...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading tests: %w", err)
	}
	slices.SortStableFunc(found, func(a, b claim) int { return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.test, b.test)) })
	return found, nil
}

// claimsOf reads one file.
func claimsOf(path, name string) ([]claim, error) {
	syntax, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var found []claim
	read := map[*ast.Comment]bool{}
	for _, declared := range syntax.Decls {
		function, ok := declared.(*ast.FuncDecl)
		if !ok || function.Doc == nil || !isTest(function) {
			continue
		}
		for _, comment := range function.Doc.List {
			read[comment] = true
			found = append(found, claimsIn(comment.Text, name, function.Name.Name)...)
		}
	}
	for _, group := range syntax.Comments {
		for _, comment := range group.List {
			if strings.HasPrefix(comment.Text, directive) && !read[comment] {
				return nil, fmt.Errorf("%s: %q stands above no test", name, comment.Text)
			}
		}
	}
	return found, nil
}

func isTest(function *ast.FuncDecl) bool {
	name := function.Name.Name
	return function.Recv == nil && (strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz"))
}

// claimsIn reads one line of a comment: "//covers:KIND NAME NAME…".
func claimsIn(line, file, test string) []claim {
	rest, ok := strings.CutPrefix(line, directive)
	if !ok {
		return nil
	}
	words := strings.Fields(rest)
	var found []claim
	for _, name := range words[min(1, len(words)):] {
		found = append(found, claim{thing{words[0], name}, file, test})
	}
	return found
}
