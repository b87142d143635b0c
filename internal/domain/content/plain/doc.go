// Package plain makes readable text of HTML: paragraphs, list marks, the addresses of links.
//
// Owns: the reading of HTML, of rendered letters and of templates whose Liquid must survive.
// Does not own: when a text is made (content, content/block).
//
// Invariants: pure; a template that could not be turned faithfully is refused rather than changed.
package plain
