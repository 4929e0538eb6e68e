#!/bin/sh
# A vendor's release, from a recipe to the three files a customer gets.
# Usage: vendor_release.sh FOLDER [RECIPE]
set -eu
folder=$1 recipe=${2:-coverage}
mkdir "$folder"
cd "$folder"

ternary keys init keys --vendor "Acme Logic"
ternary train --recipe "$recipe" --seed 1 --out run
ternary export run --out build
ternary package build --name acme --version 1.0.0 --keys keys --out acme-1.0.0.ternary
ternary license issue --package acme-1.0.0.ternary --to "Initech" --expires 2035-12-31 \
    --unique-operations 5000 --keys keys --out initech.license
cp keys/vendor.trust acme.trust

# The customer's first command, run here before anything is sent.
ternary verify acme-1.0.0.ternary --trust acme.trust
echo "send: $folder/acme-1.0.0.ternary $folder/initech.license $folder/acme.trust"
