// This file keeps template/ out of the repository's packages. In a build context the
// repository's own go.mod replaces it (stack.yml: configuration.copy).
module template

go 1.26.0
