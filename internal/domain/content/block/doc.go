// Package block is the source of a mail as people build it: a document of sections, columns and blocks, and the compiler
// that turns it into table HTML that every mail program shows, and into plain text.
//
// Owns: the document's form and its JSON Schema, validation that names block and field, the kinds of blocks, the HTML that
// holds in Outlook, in dark mode, on phones and in three scripts.
// Does not own: the template language (content/liquid), where documents are kept and filled (content), colours (content/brand).
//
//	JSON ──Parse──► Document ──Compile(brand, language, snippets)──► Liquid HTML + Liquid text ──► content fills them for a person
//
// Compiling happens once for each version and language; what is left for each person is filling in values. That is why
// conditions and loops of a document are Liquid in the end, and why a document cannot do anything that Liquid's limits
// and escaping do not cover.
//
// Buttons are one link whose padding Outlook gets from spaces in a conditional comment. The other way, a drawing in VML,
// would put a second copy of the address into a comment, where links are neither tracked nor held to harmless schemes.
//
// Invariants: the same document, brand, language and snippets give the same bytes; what Parse accepts compiles; no text of
// an author or a person becomes markup except the small set of inline tags and the sanitised HTML block.
//
// To add a kind of block: a struct with tagged fields and the methods of body in one file, listed in Kinds.
package block
