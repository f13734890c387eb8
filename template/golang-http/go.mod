// Keeps template/ out of the repository's packages. In the build context the
// repository's own go.mod takes the place of this file (stack.yml: configuration.copy).
module template

go 1.26.0
