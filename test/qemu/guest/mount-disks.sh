while sleep 0.2; do
  for disk in /dev/sd?; do
    place="/media/EXAM ${disk#/dev/}"
    [ -b "$disk" ] && mkdir "$place" 2>/dev/null && mount -t vfat -o nosuid,nodev,noexec "$disk" "$place"
  done
  for place in /media/EXAM*; do
    [ -d "$place" ] && [ ! -b "/dev/${place##* }" ] && { umount -l "$place"; rmdir "$place"; }
  done
done
