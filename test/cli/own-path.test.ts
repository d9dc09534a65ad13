import { expect, it } from "vitest";
import { findWay } from "../../src/cli/hooks/own-path.ts";

const FILE = false;
const LINK = true;

it.each([
  ["nothing of the kind", "#!/bin/sh\nexec npm test\n", FILE, "itself"],
  ["its folder", '#!/bin/sh\n. "$(dirname "$0")/tool"; cd $(dirname -- $0)\n', FILE, "itself"],
  ["its folder, as bash says it", "#!/bin/bash\n. ${0%/*}/tool\n", LINK, "itself"],
  ["its name", '#!/bin/sh\nevent=$(basename "$0")\n', LINK, "/bin/sh"],
  ["its name, cut", "#!/usr/bin/env bash\nevent=${0##*/}\n", FILE, "/usr/bin/env bash"],
  ["a folder beside it", '#!/bin/dash -eu\nfor hook in "$0".d/*; do "$hook"; done\n', FILE, "/bin/dash -eu"],
  ["a field of awk", "#!/bin/sh\nawk '{ print $0 }'\n", FILE, "/bin/sh"],
  ["where a link leads", '#!/bin/sh\ncd "$(dirname "$(readlink -f "$0")")"\n', LINK, "itself"],
  ["where it stands", '#!/bin/sh\ncd "$(dirname "$(realpath "$0")")"\n', FILE, "/bin/sh"],
  ["its name and where a link leads", '#!/bin/sh\nreadlink -f "$0"; basename "$0"\n', LINK, "not"],
  ["whether bash reads it", '#!/bin/bash\n[ "$0" = "${BASH_SOURCE[0]}" ] && main\n', FILE, "not"],
  ["its name, in Ruby", "#!/usr/bin/env ruby\nFile.basename($0)\n", FILE, "not"],
  ["its name, in Python", "#!/usr/bin/env python3\nprint(sys.argv[0])\n", FILE, "not"],
  ["its name, with a shell's option that has a word", '#!/bin/sh -c\nbasename "$0"\n', FILE, "not"],
  ["its name, with no first line", 'basename "$0"\n', FILE, "not"],
])("a hook that looks at %s", (_, text, isLink, way) => {
  const found = findWay(text, isLink);
  expect(found.kind === "read" ? found.shell : found.kind).toBe(way);
});
