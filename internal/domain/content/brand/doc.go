// Package brand is how a workspace looks and speaks: colours for light and dark screens, fonts for each script, logo, the
// foot of every mail with the postal address that law asks for, the guide to voice and tone.
//
// Owns: the brand kit and its validation, contrast, the stacks of fonts, the choice of a text by language.
// Does not own: where revisions are kept (content), how a block uses a token (content/block).
//
// Invariants: a valid brand has every colour in both palettes; nothing here reads a clock or the world.
package brand
