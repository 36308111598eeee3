#!/usr/bin/env bash
# fetch-pictures.sh FOLDER: downloads Debian packages that ship photographs (320 MB) and unpacks them there. Installs nothing.
set -euo pipefail

folder=$1
packages=(lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 mate-backgrounds opencv-doc palapeli-data plasma-workspace-wallpapers
    python3-skimage python3-sklearn)
mkdir -p "$folder"
cd "$folder"
for package in "${packages[@]}"; do
    [[ -d $package ]] && continue
    echo "Fetching $package" >&2
    # As root, apt would have another user write, who may not.
    apt-get download --quiet --quiet --option APT::Sandbox::User=root "$package"
    # Named last: an interrupted run leaves no folder, and starts again.
    rm -rf "$package.part"
    dpkg-deb --extract "${package}"_*.deb "$package.part"
    rm "${package}"_*.deb
    mv "$package.part" "$package"
done
